package optim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor"
	"peft/tensor/optim"
)

func BenchmarkAdamW(b *testing.B) {
	const n = 1 << 18
	d := tensor.CPU(0)
	x := optim.Param{Name: "x", Value: d.Param(make([]float64, n), n)}
	o, err := optim.New(optim.Group{Rule: optim.AdamW{LR: 1e-3, Decay: 0.01}, Params: []optim.Param{x}})
	require.NoError(b, err)
	grads := gradients(d, []optim.Param{x}, [][]float64{make([]float64, n)})
	for b.Loop() {
		_, err = o.Step(grads, 1)
	}
	require.NoError(b, err)
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "Mparams/s")
}
