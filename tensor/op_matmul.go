package tensor

import "peft/tensor/internal/backend"

// MatMul is a·b: [N×k] by [k×M].
func MatMul(a, b *Tensor) *Tensor { return product("MatMul", a, b, false, false) }

// MatMulT is a·bᵀ: [N×k] by [M×k].
func MatMulT(a, b *Tensor) *Tensor { return product("MatMulT", a, b, false, true) }

// TMatMul is aᵀ·b: [k×N] by [k×M].
func TMatMul(a, b *Tensor) *Tensor { return product("TMatMul", a, b, true, false) }

// Transpose is xᵀ.
func Transpose(x *Tensor) *Tensor {
	out := output([]int{x.Cols(), x.Rows()}, x)
	out.layout = nil
	out.Device().Axpby(out.mat(), 1, x.mat().T(), 0)
	return record("Transpose", out, []*Tensor{x}, nil, func(f *flow) {
		f.to(x, func(dst backend.Mat, beta float64) { f.dev().Axpby(dst, 1, f.dy.mat().T(), beta) })
	})
}

// turned is the matrix of t, transposed if so.
func turned(t *Tensor, transposed bool) backend.Mat {
	if transposed {
		return t.mat().T()
	}
	return t.mat()
}

func product(op string, a, b *Tensor, ta, tb bool) *Tensor {
	x, y := turned(a, ta), turned(b, tb)
	if x.Cols != y.Rows {
		misfit(op, "equal inner sizes", a, b)
	}
	shape := []int{x.Rows, y.Cols}
	if !ta {
		shape = append(append([]int{}, a.shape[:max(0, len(a.shape)-1)]...), y.Cols)
	}
	out := output(shape, a, b)
	out.Device().MatMul(out.mat(), x, y, 1, 0)
	return record(op, out, []*Tensor{a, b}, crossKeep(a, b), func(f *flow) {
		dy := f.dy.mat()
		f.to(a, func(dst backend.Mat, beta float64) {
			if ta {
				dst = dst.T()
			}
			f.dev().MatMul(dst, dy, turned(b, !tb), 1, beta)
		})
		f.to(b, func(dst backend.Mat, beta float64) {
			if tb {
				dst = dst.T()
			}
			f.dev().MatMul(dst, turned(a, !ta), dy, 1, beta)
		})
	})
}
