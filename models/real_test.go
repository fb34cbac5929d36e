package models_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/models"
	"peft/models/tokenizer"
	"peft/peft"
	"peft/tensor"
)

// TestReal compares real models with what transformers makes of the same texts in float32, whose own error is about 1e-6.
func TestReal(t *testing.T) {
	for name, dir := range map[string][]string{
		"minilm-l6": {"models", "all-MiniLM-L6-v2"}, "minilm-l3": {"models", "paraphrase-MiniLM-L3-v2"}, "quickstart": {"data", "quickstart"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := golden.Shared(t, dir...)
			m, err := models.Open(dir, models.Options{})
			require.NoError(t, err)
			defer m.Close()
			want := golden.Open(t, golden.Shared(t, "golden", "real", name+".safetensors"))
			in, err := models.ReadInputs(want)
			require.NoError(t, err)
			d := tensor.CPU(2)
			golden.Close(t, want, "mean", means(t, d, m, in), 5e-6)
			tokens(t, dir, golden.Shared(t, "golden", "real", name+".json"))
		})
	}
}

// means are the means of the last hidden state.
func means(t *testing.T, d *tensor.Device, m *models.Opened, in *models.Inputs) []float64 {
	var all []int
	for i := range in.Len() {
		all = append(all, i)
	}
	b, err := in.Batch(m.Unwrap(), all...)
	require.NoError(t, err)
	p := peft.With(d).NoGrad()
	defer p.Close()
	return tensor.MeanRows(m.Forward(p, b)).Float64s()
}

// tokens compares ids with those of the model's tokenizer.
func tokens(t *testing.T, dir, path string) {
	tok, err := tokenizer.Open(dir)
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Clean(path))
	require.NoError(t, err)
	var cases []struct {
		Text string
		IDs  []int32
	}
	require.NoError(t, json.Unmarshal(text, &cases))
	for _, c := range cases {
		e, err := tok.Encode(c.Text)
		require.NoError(t, err)
		require.Equal(t, c.IDs, e.IDs, "%q", c.Text)
	}
}
