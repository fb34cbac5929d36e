package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// startCases are those of adapters as Hugging Face PEFT initialises them.
func startCases(t *testing.T) []golden.Case { return golden.Cases(t, "hf", "*.fresh-*") }

// TestStarts computes with adapters as Hugging Face PEFT initialises them, after some training, and in the form for an unchanged base.
func TestStarts(t *testing.T) {
	for _, c := range startCases(t) {
		want := golden.Open(t, c.Path("expect.safetensors"))
		for folder, name := range map[string]string{"adapter": "logits.fresh", "trained": "logits.trained", "converted": "logits.converted"} {
			if _, ok := want.Tensor(name); !ok {
				continue
			}
			t.Run(c.Name+"/"+folder, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "out.safetensors")
				args := []string{"-f64", "-model", c.ModelDir(), "-in", c.Path("batch.safetensors"), "-out", out, "-adapter", c.Path(folder)}
				require.NoError(t, run(t.Context(), cli.Env{}, args))
				got, _ := golden.Open(t, out).Tensor("logits")
				values, err := got.Float64s()
				require.NoError(t, err)
				golden.Close(t, golden.Masked(t, want, name, c.Path("batch.safetensors")), name, values, c.Tolerance())
			})
		}
		t.Run(c.Name+"/residual", func(t *testing.T) { compareResiduals(t, c) })
	}
}

// compareResiduals compares what stands in for the base's weights.
func compareResiduals(t *testing.T, c golden.Case) {
	dev := tensor.Reference()
	m, err := models.OpenFor(c.ModelDir(), c.Path("adapter"))
	require.NoError(t, err)
	defer m.Close()
	patches, err := cli.Load(cli.Env{}, dev, m, c.Path("adapter"))
	require.NoError(t, err)
	p := peft.With(dev, patches...)
	defer p.Close()
	want := golden.Open(t, c.Path("expect.safetensors"))
	for f := range patches[0].Sites().Params() {
		name := "residual." + f.Name
		if _, ok := want.Tensor(name); !ok || !strings.HasSuffix(name, ".weight") {
			continue
		}
		w := p.Matrix(f).Dense(p.Scope())
		if f.Transposed {
			w = tensor.Transpose(w)
		}
		golden.Close(t, want, name, w.Float64s(), c.Tolerance())
	}
}
