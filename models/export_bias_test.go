package models_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/bitfit"
	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// TestExportBiases exports models with biases that their checkpoints have none of: where a flag makes transformers look for them they are read back, elsewhere they are refused by name.
func TestExportBiases(t *testing.T) {
	off := false
	for _, c := range []struct {
		model, says string
		method      bitfit.Config
	}{
		{"llama-lm", "", bitfit.Config{Add: true, Terms: []peft.Role{peft.Value}}},
		{"llama-lm", "", bitfit.Config{Add: true, Norms: &off}},
		{"qwen3-lm", "", bitfit.Config{Add: true, Terms: []peft.Role{peft.Query}}},
		{"gemma3-lm", "", bitfit.Config{Add: true, Terms: []peft.Role{peft.Output}}},
		{"llama-lm", "has no model.layers.0.input_layernorm.bias in transformers", bitfit.Config{Add: true}},
		{"mistral-lm", "has no model.layers.0.self_attn.q_proj.bias in transformers", bitfit.Config{Add: true, Terms: []peft.Role{peft.Query}}},
		{"qwen3-lm", "has no model.layers.0.mlp.up_proj.bias in transformers", bitfit.Config{Add: true, Terms: []peft.Role{peft.Up}}},
	} {
		d, dir := tensor.Reference(), filepath.Join(t.TempDir(), "out")
		m, err := models.Open(golden.Shared(t, "golden", "hf", "models", c.model), models.Options{})
		require.NoError(t, err)
		defer m.Close()
		q, err := peft.Attach(d, m.Unwrap(), c.method, 1)
		require.NoError(t, err)
		for x := range q.Params() {
			v := make([]float64, x.Tensor().Len())
			for i := range v {
				v[i] = 0.25 * float64(i%5-2)
			}
			x.Tensor().Assign(v)
		}
		merged, err := peft.Merge(d, m.Unwrap(), q)
		require.NoError(t, err)
		err = m.Export(dir, merged)
		if c.says != "" {
			require.ErrorContains(t, err, c.says)
			continue
		}
		require.NoError(t, err)
		back, err := models.Open(dir, models.Options{})
		require.NoError(t, err)
		defer back.Close()
		in := models.Sequence{IDs: []int32{1, 5, 2, 7}}
		golden.Near(t, c.model, values(t, d, m.Unwrap(), in, q), values(t, d, back.Unwrap(), in), 1e-6)
	}
}

func values(t *testing.T, d *tensor.Device, m models.Model, in models.Sequence, patches ...*peft.Patch) []float64 {
	b, err := models.Pack(m, in)
	require.NoError(t, err)
	p := peft.With(d, patches...).NoGrad()
	defer p.Close()
	return m.Forward(p, b).Float64s()
}
