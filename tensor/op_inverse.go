package tensor

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"peft/tensor/internal/backend"
)

// Inverse is the inverse of each block of x [G×b×b], by LU decomposition in float64 on the host, whatever the device: blocks are small. That of a singular block is NaN.
func Inverse(x *Tensor) *Tensor {
	if len(x.shape) != 3 || x.shape[1] != x.shape[2] {
		misfit("Inverse", "square blocks [G×b×b]", x)
	}
	n := x.shape[1]
	out := output(x.shape, x)
	out.Assign(inverses(x.Float64s(), n))
	y := out.Detach()
	return record("Inverse", out, []*Tensor{x}, []*Tensor{out}, func(f *flow) {
		f.to(x, func(dst backend.Mat, beta float64) {
			f.temp(n, n, func(t backend.Mat) {
				for g := range x.shape[0] {
					inv := block(y.mat(), g, n).T()
					f.dev().MatMul(t, inv, block(f.dy.mat(), g, n), -1, 0)
					f.dev().MatMul(block(dst, g, n), t, inv, 1, beta)
				}
			})
		})
	})
}

// inverses inverts matrices [n×n] in place, one after the other.
func inverses(v []float64, n int) []float64 {
	for lo := 0; lo < len(v); lo += n * n {
		a := mat.NewDense(n, n, v[lo:lo+n*n])
		var inv mat.Dense
		if inv.Inverse(a) != nil && math.IsInf(mat.Cond(a, 1), 1) {
			a.Apply(func(int, int, float64) float64 { return math.NaN() }, a)
			continue
		}
		a.Copy(&inv)
	}
	return v
}
