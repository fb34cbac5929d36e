package models_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// TestHeld loads a folder of AdapterHub's library that holds what a masked language model has between its base and the output embedding, in the file of the adapter or in that of the head:
// the patch trains it, and writes it down. The output embedding is the base's own.
func TestHeld(t *testing.T) {
	m, err := models.Open(golden.Shared(t, "golden", "hf", "models", "bert-mlm"), models.Options{})
	require.NoError(t, err)
	defer m.Close()
	sites, err := peft.FindSites(tensor.Reference(), m.Unwrap())
	require.NoError(t, err)
	const dense, decoder = "cls.predictions.transform.dense.bias", "cls.predictions.decoder.bias"
	for _, name := range []string{peft.HubWeightsFile, peft.HubHeadFile} {
		dir := filepath.Join(t.TempDir(), "held")
		q, err := peft.AttachTo(sites, adapter.Config{}, 1)
		require.NoError(t, err)
		require.NoError(t, peft.Save(dir, q, peft.Info{}))
		held := []safetensors.Tensor{sized(sites, dense, 3), sized(sites, decoder, 4)}
		if name == peft.HubWeightsFile {
			for x := range golden.Open(t, filepath.Join(dir, name)).All() {
				held = append(held, x)
			}
		}
		require.NoError(t, safetensors.Write(filepath.Join(dir, name), held, nil))
		q, r, err := peft.Load(sites, dir)
		require.NoError(t, err)
		require.Empty(t, r.Unexpected)
		require.Empty(t, r.Missing)
		require.Equal(t, 3.0, q.Param(dense).Tensor().Float64s()[0])
		require.Nil(t, q.Param(decoder))
		require.NoError(t, peft.Save(dir+"2", q, peft.Info{}))
		_, found := golden.Open(t, filepath.Join(dir+"2", peft.HubHeadFile)).Tensor(dense)
		require.True(t, found)
	}
}

// sized is a tensor of a bias's name with one number in it.
func sized(s *peft.Sites, name string, v float32) safetensors.Tensor {
	n := 0
	for l := range s.Linears() {
		if l.Name()+".bias" == name {
			n = l.Out
		}
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = v
	}
	return safetensors.F32(name, []int{n}, values)
}
