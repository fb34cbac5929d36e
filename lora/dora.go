package lora

import (
	"peft/peft"
	"peft/tensor"
)

// dora is LoRA with the length of each row of the adapted matrix trained apart, as m [out] (Liu et al. 2024, arXiv:2402.09353):
//
//	y = (m/n)∘((W + s·B·A)·x) + b,  n = the lengths of the rows of W + s·B·A
//
// n counts as a constant: no gradient flows through it (section 4.3 of the paper). m starts as n, so that a fresh patch changes nothing.
type dora struct {
	*linear
	site    *peft.Linear
	m       *peft.Param
	squares *tensor.Tensor // the squared lengths of W's rows [1×out]
}

// dora adds the lengths to an update.
func (d *linear) dora(q *peft.Patch, l *peft.Linear) *dora {
	dev := q.Sites().Device()
	var squares, lengths []float64
	if l.W.W != nil {
		s := tensor.NewScope(dev)
		defer s.Close()
		rows := tensor.SumCols(tensor.Apply(tensor.Square, l.W.W.Dense(s)))
		squares, lengths = rows.Float64s(), tensor.Apply(tensor.Sqrt, rows).Float64s()
	}
	return &dora{d, l, q.NewParam(l.Name()+"/lora_magnitude_vector", lengths, l.Out), dev.Constant(squares, 1, l.Out)}
}

// LowRank is nil: the product alone is not the update.
func (d *dora) LowRank(*peft.Pass, peft.Tap) *tensor.LowRank { return nil }

// Forward is (m/n − 1)∘(base + s·B·A·x) + s·B·A·x, where base is the site's output so far without its bias. Dropout drops what both products read, as in Hugging Face PEFT.
func (d *dora) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	low := d.factored.Forward(p, t)
	return tensor.Add(tensor.Mul(d.stretch(p), tensor.Add(d.base(p, t), low)), low)
}

func (d *dora) base(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	if x := d.input(p, t); x != t.X {
		return p.Matrix(d.site.W).Linear(x, tensor.Affine{})
	}
	if b := p.Vector(d.site.B); b != nil {
		return tensor.Sub(t.Y, tensor.Reshape(b, 1, b.Len()))
	}
	return t.Y
}

// stretch is m/n − 1 [1×out], exactly zero where they are equal.
func (d *dora) stretch(p *peft.Pass) *tensor.Tensor {
	n := d.lengths(p)
	return tensor.Div(tensor.Sub(tensor.Reshape(d.m.In(p), 1, d.m.Len()), n), n)
}

// lengths is n, without a matrix of W's size: ‖W + s·B·A‖² = ‖W‖² + 2s·(W·Aᵀ)∘B + s²·(B·A·Aᵀ)∘B, summed over each row.
func (d *dora) lengths(p *peft.Pass) *tensor.Tensor {
	a, b := d.both(p)
	a, b = a.Detach(), tensor.Transpose(b.Detach())
	along := tensor.Scale(d.site.W.W.Linear(a, tensor.Affine{}), 2*d.scale)
	own := tensor.Scale(tensor.MatMul(tensor.MatMulT(a, a), b), d.scale*d.scale)
	change := tensor.SumRows(tensor.Mul(tensor.Add(along, own), b))
	return tensor.Apply(tensor.Sqrt, tensor.Add(p.Scope().Use(d.squares), change))
}

// Fold makes W' = (m/n)∘(W + s·B·A), row by row.
func (d *dora) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	w, b = d.factored.Fold(p, w, b)
	stretch := tensor.Transpose(d.stretch(p))
	return tensor.Add(w, tensor.Mul(w, stretch)), b
}
