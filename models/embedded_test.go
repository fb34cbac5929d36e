package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// TestEmbedded puts an invertible adapter on the embeddings of a model of each family, which have a site after them, and wants it to change what comes out.
func TestEmbedded(t *testing.T) {
	for _, name := range []string{"bert-cls", "roberta-cls", "distilbert-cls", "gpt2-lm", "llama-lm", "qwen3-lm", "mistral-lm", "gemma3-lm", "gpt-neox-lm", "opt-lm"} {
		t.Run(name, func(t *testing.T) {
			m, err := models.Open(golden.Shared(t, "golden", "hf", "models", name), models.Options{})
			require.NoError(t, err)
			defer m.Close()
			q, err := peft.Attach(tensor.Reference(), m.Unwrap(), adapter.Config{At: []peft.Role{}, Invertible: 2}, 1)
			require.NoError(t, err)
			for x := range q.Params() {
				x.Tensor().Assign(onesOf(x.Len()))
			}
			in := &models.Inputs{IDs: [][]int32{{5, 6, 7}}}
			require.NotEqual(t, outOf(t, m, in), outOf(t, m, in, q))
		})
	}
}

func onesOf(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

// outOf is what a model puts out for examples.
func outOf(t *testing.T, m *models.Opened, in *models.Inputs, patches ...*peft.Patch) []float64 {
	b, err := in.Batch(m.Unwrap(), 0)
	require.NoError(t, err)
	p := peft.With(tensor.Reference(), patches...).NoGrad()
	defer p.Close()
	return m.Forward(p, b).Float64s()
}
