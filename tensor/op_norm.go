package tensor

import "peft/tensor/internal/backend"

// LayerNorm is (x − mean)/√(var + eps)∘gain + bias, row by row; gain and bias [d] may be nil.
func LayerNorm(x, gain, bias *Tensor, eps float64) *Tensor {
	n := x.Cols()
	out := output(x.shape, x, gain, bias)
	stats := output([]int{x.Rows(), 2}, out)
	compute := func() {
		out.Device().LayerNorm(out.mat(), stats.mat(), x.mat(), vector("LayerNorm", gain, n), vector("LayerNorm", bias, n), eps)
	}
	compute()
	record("LayerNorm", out, []*Tensor{x, gain, bias}, []*Tensor{x, stats, gain}, func(f *flow) {
		g := f.normGrads(x, gain, bias)
		f.dev().LayerNormGrad(g.dx, g.dgain, g.dbias, f.dy.mat(), x.mat(), stats.mat(), vector("LayerNorm", gain, n), g.beta)
	})
	return out.again(compute, x, stats, gain, bias)
}

// RMSNorm is x/√(mean(x²) + eps)∘gain, row by row; gain [d] may be nil.
func RMSNorm(x, gain *Tensor, eps float64) *Tensor {
	n := x.Cols()
	out := output(x.shape, x, gain)
	stats := output([]int{x.Rows(), 1}, out)
	compute := func() { out.Device().RMSNorm(out.mat(), stats.mat(), x.mat(), vector("RMSNorm", gain, n), eps) }
	compute()
	record("RMSNorm", out, []*Tensor{x, gain}, []*Tensor{x, stats, gain}, func(f *flow) {
		g := f.normGrads(x, gain, nil)
		f.dev().RMSNormGrad(g.dx, g.dgain, f.dy.mat(), x.mat(), stats.mat(), vector("RMSNorm", gain, n), g.beta)
	})
	return out.again(compute, x, stats, gain)
}

// normGrads are the places for the gradients of a normalisation, nil where none is wanted. Those of gain and bias are added to, so they are zero at first.
type normGrads struct {
	dx, dgain, dbias *backend.Mat
	beta             float64
}

func (f *flow) normGrads(x, gain, bias *Tensor) (g normGrads) {
	f.to(x, func(dst backend.Mat, beta float64) { g.dx, g.beta = &dst, beta })
	added := func(t *Tensor) (m *backend.Mat) {
		if t != nil {
			f.part(t, func(dst backend.Mat) {
				r := row(dst)
				m = &r
			})
		}
		return m
	}
	g.dgain, g.dbias = added(gain), added(bias)
	return g
}

// Softmax is exp(x)/Σexp(x), row by row.
func Softmax(x *Tensor) *Tensor {
	out := output(x.shape, x)
	out.Device().Softmax(out.mat(), x.mat())
	y := out.Detach()
	return record("Softmax", out, []*Tensor{x}, []*Tensor{out}, func(f *flow) {
		f.to(x, func(dst backend.Mat, beta float64) { f.dev().SoftmaxGrad(dst, y.mat(), f.dy.mat(), beta) })
	})
}
