package lora

import (
	"peft/peft"
	"peft/tensor"
)

// rowLengths are n, those of the rows of W + s·B·A [out×in], computed without a matrix of that size: ‖W + s·B·A‖² = ‖W‖² + 2s·(W·Aᵀ)∘B + s²·(B·A·Aᵀ)∘B, summed over each row.
type rowLengths struct {
	A, B    *peft.Param
	scale   float64
	along   func(p *peft.Pass, a *tensor.Tensor) *tensor.Tensor // A·Wᵀ [r×out]
	squares *tensor.Tensor                                      // ‖W‖² [1×out]
}

// stretch is the factor m/n on the rows, with m trained.
type stretch struct {
	rowLengths
	m *peft.Param
}

// stretch makes m, which starts as n. squares computes ‖W‖².
func (n rowLengths) stretch(q *peft.Patch, x peft.Site, out int, squares func(*peft.Pass) *tensor.Tensor) stretch {
	var start []float64
	dev := q.Sites().Device()
	n.squares = dev.Constant(nil, 1, out)
	if x.Frozen()[0].W != nil && dev.Computes() {
		p := peft.With(dev).NoGrad()
		defer p.Close()
		n.squares = dev.Constant(squares(p).Float64s(), 1, out)
		start = n.of(p).Float64s()
	}
	return stretch{n, q.NewParam(x.Name()+"/lora_magnitude_vector", start, out)}
}

func (n rowLengths) of(p *peft.Pass) *tensor.Tensor {
	a, b := n.A.In(p).Detach(), tensor.Transpose(n.B.In(p).Detach())
	along := tensor.Scale(n.along(p, a), 2*n.scale)
	own := tensor.Scale(tensor.MatMul(tensor.MatMulT(a, a), b), n.scale*n.scale)
	change := tensor.SumRows(tensor.Mul(tensor.Add(along, own), b))
	return tensor.Apply(tensor.Sqrt, tensor.Add(p.Scope().Use(n.squares), change))
}

// more is m/n − 1 [1×out], exactly zero where they are equal.
func (d stretch) more(p *peft.Pass) *tensor.Tensor {
	n := d.of(p)
	return tensor.Div(tensor.Sub(tensor.Reshape(d.m.In(p), 1, d.m.Len()), n), n)
}
