package lora

import (
	"slices"

	"peft/peft"
	"peft/tensor"
)

// hub is the update at one map: below each other, A [n·r×in] and B [Σ columns×r] of n of its parts.
type hub struct {
	branch
	a, b  *peft.Param
	site  *peft.Linear
	parts []peft.Part
	alpha float64 // of IA3
}

// both are the factors of the update of the whole map, A [n·r×in] and B [out×n·r]: the blocks of B stand in the rows of their parts and the columns of their A.
func (h hub) both(p *peft.Pass) (a, b *tensor.Tensor) {
	if len(h.parts) == 1 && h.b.Tensor().Rows() == h.site.Out {
		return h.a.In(p), h.b.In(p)
	}
	var turned []*tensor.Tensor
	for i := range h.parts {
		turned = append(turned, tensor.Transpose(h.rows(p, i, 0)))
	}
	return h.a.In(p), tensor.Transpose(tensor.Stack(nil, turned...))
}

// rows is part i's rows of the parameter B, in their places among all output columns; elsewhere stands one number.
func (h hub) rows(p *peft.Pass, i int, elsewhere float64) *tensor.Tensor {
	b, from := h.b.In(p), 0
	for _, earlier := range h.parts[:i] {
		from += earlier.Hi - earlier.Lo
	}
	rest := p.Scope().Tensor(slices.Repeat([]float64{elsewhere}, b.Cols()), 1, b.Cols())
	idx, part := make([]int32, h.site.Out), h.parts[i]
	for row := range idx {
		idx[row] = int32(b.Rows())
		if row >= part.Lo && row < part.Hi {
			idx[row] = int32(from + row - part.Lo)
		}
	}
	return tensor.GatherRows(tensor.Stack(nil, b, rest), idx, nil)
}

// rescale is (α·l − 1)∘y. As in the library, α counts for the columns of a fused map too that no l is for.
func (h hub) rescale(p *peft.Pass, y *tensor.Tensor) *tensor.Tensor {
	l := h.rows(p, 0, 1)
	for i := range h.parts[1:] {
		l = tensor.Mul(l, h.rows(p, i+1, 1))
	}
	return tensor.Mul(y, tensor.Shift(tensor.Scale(tensor.Reshape(l, 1, h.site.Out), h.alpha), -1))
}

// hubGated is Σ gᵢ·(x·Aᵢᵀ)·Bᵢᵀ, with a gate on x for each part.
type hubGated struct {
	hub
	gate *peft.SequenceGate
}

// RowWise is false: a gate is a mean over rows.
func (hubGated) RowWise() bool { return false }

// Kind says why it has no Fold.
func (hubGated) Kind() string { return "LoRA with a gate, which differs from sequence to sequence," }

// Forward is the update's value.
func (d hubGated) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	a, b := d.both(p)
	g, r := d.gate.Value(p, t.X), a.Rows()/len(d.parts)
	low := tensor.MatMulT(d.input(p, t), a)
	each := make([]float64, len(d.parts)*a.Rows()) // gate i counts for the columns of Aᵢ
	for i := range d.parts {
		for j := range r {
			each[i*a.Rows()+i*r+j] = 1
		}
	}
	g = tensor.MatMul(g, p.Scope().Tensor(each, len(d.parts), a.Rows()))
	return tensor.MatMulT(tensor.Mul(low, peft.Spread(g, t.X.Layout())), b)
}

// hubDoRA is (m/n − 1)∘(y + s·(x·Aᵀ)·Bᵀ) + s·(x·Aᵀ)·Bᵀ, with y the map's output, bias and all, and n the lengths of the rows of W + B·A, without s.
type hubDoRA struct {
	hub
	update *factored
	m      *peft.Param
}

// Forward is the update's value.
func (d hubDoRA) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	low := d.update.Forward(p, t)
	return tensor.Add(tensor.Mul(d.stretch(p), tensor.Add(t.Y, low)), low)
}

// stretch is m/n − 1 [1×out]. Gradients flow through n.
func (d hubDoRA) stretch(p *peft.Pass) *tensor.Tensor {
	w := tensor.Add(p.Matrix(d.site.W).Dense(p.Scope()), tensor.MatMul(d.b.In(p), d.a.In(p)))
	n := tensor.Apply(tensor.Sqrt, tensor.SumCols(tensor.Apply(tensor.Square, w)))
	return tensor.Reshape(tensor.Shift(tensor.Div(d.m.In(p), n), -1), 1, d.site.Out)
}

// Fold makes W' = (m/n)∘(W + s·B·A), row by row, and b' = (m/n)∘b.
func (d hubDoRA) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	stretch := d.stretch(p)
	w, b = d.update.Fold(p, w, b)
	w = tensor.Add(w, tensor.Mul(w, tensor.Transpose(stretch)))
	if b != nil {
		b = tensor.Add(b, tensor.Mul(b, tensor.Reshape(stretch, b.Len())))
	}
	return w, b
}

// lengths are those of the rows of a map's weight, nil where it has no numbers.
func lengths(q *peft.Patch, l *peft.Linear) []float64 {
	if l.W.W == nil {
		return nil
	}
	s := tensor.NewScope(q.Sites().Device())
	defer s.Close()
	return tensor.Apply(tensor.Sqrt, tensor.SumCols(tensor.Apply(tensor.Square, l.W.W.Dense(s)))).Float64s()
}
