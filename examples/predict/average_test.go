package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// averages are the cases of two adapters whose parameters are averaged.
func averages(t *testing.T) []golden.Case {
	return golden.Cases(t, "adapterhub", "bert-average_adapter*")
}

// TestAverage computes with the first adapter, and with the weighted mean of both.
func TestAverage(t *testing.T) {
	for _, c := range averages(t) {
		t.Run(c.Name, func(t *testing.T) {
			d := tensor.Reference()
			m, err := models.OpenFor(c.ModelDir(), c.Path("adapter", "a"))
			require.NoError(t, err)
			defer m.Close()
			patches, err := cli.Load(cli.Env{}, d, m, c.Path("adapter", "a"), c.Path("adapter", "b"))
			require.NoError(t, err)
			mean, err := peft.Mean(peft.Term{Patch: patches[0], Weight: 0.25}, peft.Term{Patch: patches[1], Weight: 0.75})
			require.NoError(t, err)
			in, err := models.ReadInputs(golden.Open(t, c.Path("batch.safetensors")))
			require.NoError(t, err)
			want := golden.Open(t, c.Path("expect.safetensors"))
			for name, q := range map[string]*peft.Patch{"logits": patches[0], "average_logits": mean} {
				var out outcome
				require.NoError(t, predictor{dev: d, model: m, patches: []*peft.Patch{q}}.rows(&out, in, nil, 0, in.Len(), true))
				golden.Close(t, want, name, out.logits[0], c.Tolerance())
				for key, x := range q.Keyed {
					if g := out.grads.Of(x.Tensor()); q == patches[0] && g != nil {
						golden.Close(t, want, "grad."+key, q.AsStored(x, g).Float64s(), c.Tolerance())
					}
				}
			}
		})
	}
}
