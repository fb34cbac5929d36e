package lora

import (
	"peft/peft"
	"peft/tensor"
)

// identity is the matrix I [n×n].
func identity(p *peft.Pass, n int) *tensor.Tensor {
	v := make([]float64, n*n)
	for i := range n {
		v[i*n+i] = 1
	}
	return p.Scope().Tensor(v, n, n)
}

// swap exchanges two axes: x, whose numbers are those of [n×a×b×rest], becomes rows [n·b·a × rest] in the order of [n×b×a×rest].
func swap(x *tensor.Tensor, n, a, b int) *tensor.Tensor {
	rows := make([]int32, 0, n*a*b)
	for i := range n {
		for k := range b {
			for j := range a {
				rows = append(rows, int32((i*a+j)*b+k))
			}
		}
	}
	return tensor.GatherRows(tensor.Reshape(x, n*a*b, x.Len()/(n*a*b)), rows, nil)
}

// pick makes a tensor of the numbers of x at the given places, counted row after row; a negative place gives 0.
func pick(x *tensor.Tensor, places []int32, shape ...int) *tensor.Tensor {
	return tensor.Reshape(tensor.GatherRows(tensor.Reshape(x, x.Len(), 1), places, nil), shape...)
}

// norms are the lengths of the rows of x [N×d], as a column [N×1].
func norms(x *tensor.Tensor) *tensor.Tensor {
	return tensor.Apply(tensor.Sqrt, tensor.SumCols(tensor.Apply(tensor.Square, x)))
}
