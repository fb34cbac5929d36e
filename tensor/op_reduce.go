package tensor

import "peft/tensor/internal/backend"

// Sum is the sum of all numbers, a scalar.
func Sum(x *Tensor) *Tensor { return reduce("Sum", x, []int{}, 1, 1) }

// SumRows adds all rows up: [N×d] becomes [1×d].
func SumRows(x *Tensor) *Tensor { return reduce("SumRows", x, []int{1, x.Cols()}, 1, x.Cols()) }

// SumCols adds all columns up: [N×d] becomes [N×1].
func SumCols(x *Tensor) *Tensor { return reduce("SumCols", x, []int{x.Rows(), 1}, x.Rows(), 1) }

// Mean is the mean of all numbers, a scalar.
func Mean(x *Tensor) *Tensor { return Scale(Sum(x), 1/float64(x.Len())) }

func reduce(op string, x *Tensor, shape []int, rows, cols int) *Tensor {
	out := output(shape, x)
	dst := backend.Dense(out.data.buf, 0, rows, cols)
	out.Device().Sum(dst, x.mat(), 0)
	return record(op, out, []*Tensor{x}, nil, func(f *flow) {
		f.to(x, func(dst backend.Mat, beta float64) {
			f.dev().Axpby(dst, 1, f.dy.over(dst.Rows, dst.Cols), beta)
		})
	})
}

// Total is the sum of several tensors of one shape.
func Total(first *Tensor, rest ...*Tensor) *Tensor {
	for _, x := range rest {
		first = Add(first, x)
	}
	return first
}
