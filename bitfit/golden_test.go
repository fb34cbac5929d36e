package bitfit_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// TestGolden compares loss, gradients and counts with those of the own references.
func TestGolden(t *testing.T) {
	for _, g := range []struct{ name, method string }{
		{"bitfit-bert-all", `{"method":"bitfit"}`},
		{"bitfit-bert-all-head", `{"method":"bitfit","head":true}`},
		{"bitfit-bert-query_intermediate", `{"method":"bitfit","terms":["query","intermediate"]}`},
		{"bitfit-roberta-all-head", `{"method":"bitfit","head":true}`},
		{"bitfit-gpt2-all", `{"method":"bitfit"}`},
		{"bitfit-gpt2-query_intermediate", `{"method":"bitfit","terms":["query","intermediate"]}`},
		{"bitfit-llama-added", `{"method":"bitfit","add":true,"norms":false}`},
		{"bitfit-llama-added-norms", `{"method":"bitfit","add":true}`},
	} {
		for name, d := range map[string]struct {
			dev   *tensor.Device
			error float64
		}{"reference": {tensor.Reference(), 1e-9}, "cpu": {tensor.CPU(2), 1e-4}} {
			t.Run(g.name+"/"+name, func(t *testing.T) { tryGolden(t, golden.Cases(t, "own", g.name)[0], g.method, d.dev, d.error) })
		}
	}
}

func tryGolden(t *testing.T, c golden.Case, method string, d *tensor.Device, tolerance float64) {
	m, err := models.Open(c.ModelDir(), models.Options{})
	require.NoError(t, err)
	defer m.Close()
	config, err := peft.DecodeMethod([]byte(method))
	require.NoError(t, err)
	q, err := peft.Attach(d, m.Model, config, 1)
	require.NoError(t, err)
	require.Equal(t, c.Trainable, q.Trainable())
	require.Equal(t, c.Total, q.Summary().Total)

	in, err := models.ReadInputs(golden.Open(t, c.Path("batch.safetensors")))
	require.NoError(t, err)
	b, err := in.Batch(m.Model, 0, 1, 2)
	require.NoError(t, err)
	p := peft.With(d, q)
	defer p.Close()
	loss, err := models.BatchLoss(p, m.Model, b)
	require.NoError(t, err)
	want := golden.Open(t, c.Path("expect.safetensors"))
	golden.Close(t, want, "loss", loss.Float64s(), tolerance)
	g := tensor.Backward(loss)
	defer g.Release()
	for x := range q.Params() {
		if got := g.Of(x.Tensor()).Float64s(); strings.HasSuffix(x.Name, "self.key.bias") {
			require.InDeltaSlice(t, make([]float64, len(got)), got, tolerance, "a softmax does not see a key bias")
		} else {
			golden.Close(t, want, "grad."+x.Name, got, tolerance)
		}
	}
}
