package tensor

import "peft/tensor/internal/backend"

// A Func is an elementwise function of one number.
type Func = backend.Unary

// The elementwise functions, as [Apply] and [Affine] take them.
const (
	Identity    = backend.Identity
	ReLU        = backend.ReLU
	GELU        = backend.GELU     // x·Φ(x), exact
	GELUTanh    = backend.GELUTanh // the tanh approximation, "gelu_new"
	QuickGELU   = backend.QuickGELU
	SiLU        = backend.SiLU
	Tanh        = backend.Tanh
	Sigmoid     = backend.Sigmoid
	LeakyReLU   = backend.LeakyReLU
	Exp         = backend.Exp
	Log         = backend.Log
	Sqrt        = backend.Sqrt
	Square      = backend.Square
	Reciprocal  = backend.Reciprocal
	Abs         = backend.Abs
	Sin         = backend.Sin
	Cos         = backend.Cos
	Mish        = backend.Mish
	Laplace     = backend.Laplace
	ReLU6       = backend.ReLU6
	SquaredReLU = backend.SquaredReLU // "relu2"
	ClippedGELU = backend.ClippedGELU // "gelu_10"
	Softplus    = backend.Softplus
)

// Apply is f(x), elementwise.
func Apply(f Func, x *Tensor) *Tensor {
	if f == Identity {
		return x
	}
	out := output(x.shape, x)
	compute := func() { out.Device().Unary(f, out.mat(), x.mat()) }
	compute()
	saved := x
	if f.FromOutput() {
		saved = out
	}
	keep := saved.Detach()
	record(f.String(), out, []*Tensor{x}, []*Tensor{saved}, func(g *flow) {
		g.to(x, func(dst backend.Mat, beta float64) {
			g.dev().UnaryGrad(f, dst, keep.mat(), keep.mat(), g.dy.mat(), beta)
		})
	})
	if f.FromOutput() {
		return out
	}
	return out.again(compute, x)
}

// Scale is a·x.
func Scale(x *Tensor, a float64) *Tensor {
	out := output(x.shape, x)
	out.Device().Axpby(out.mat(), a, x.mat(), 0)
	return record("Scale", out, []*Tensor{x}, nil, func(f *flow) {
		f.to(x, func(dst backend.Mat, beta float64) { f.dev().Axpby(dst, a, f.dy.mat(), beta) })
	})
}

// Shift is x + a.
func Shift(x *Tensor, a float64) *Tensor {
	out := output(x.shape, x)
	out.Device().Fill(out.mat(), a)
	out.Device().Axpby(out.mat(), 1, x.mat(), 1)
	return record("Shift", out, []*Tensor{x}, nil, func(f *flow) { f.sum(x) })
}

// Dropout sets each number to zero with probability p and scales the others by 1/(1−p). Which ones is a function of key and place alone.
func Dropout(x *Tensor, p float64, key uint64) *Tensor {
	if p == 0 {
		return x
	}
	out := output(x.shape, x)
	out.Device().Dropout(out.mat(), x.mat(), p, key, 0)
	return record("Dropout", out, []*Tensor{x}, nil, func(f *flow) {
		f.to(x, func(dst backend.Mat, beta float64) { f.dev().Dropout(dst, f.dy.mat(), p, key, beta) })
	})
}
