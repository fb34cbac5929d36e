package lora

import (
	"slices"

	"peft/peft"
	"peft/tensor"
)

// hub is the update at one map, as a cell of compositions: what others have made of the map's input, or that input itself, goes through the factors
//
//	h ← s·(h·Aᵀ)·Bᵀ
//
// and is added to the map's output in the end; or with IA3 h ← α·l∘h, from ones, by which the output is multiplied. A gate on the map's input stands in place of s and α.
type hub struct {
	branch
	site  *peft.Linear
	parts []peft.Part // of the map, each with an update of its own
	b     *peft.Param // B [Σ columns×r], or l
	scale float64     // s, or α
	// factors are A [n·r×in] and B [out×n·r] of the whole map; nil of IA3.
	factors func(p *peft.Pass) (a, b *tensor.Tensor)
	gate    *peft.SequenceGate // for each part; nil: none
	m       *peft.Param        // the lengths of DoRA's rows; nil: none
}

// delta is the update with what it can do besides.
func (d hub) delta() peft.Delta {
	switch {
	case d.gate != nil:
		return hubGated{d}
	case d.factors == nil:
		return hubIA3{d}
	case d.m != nil:
		return hubDoRA{d}
	}
	return hubLow{d}
}

// RowWise is true without a gate, which is a mean over rows.
func (d hub) RowWise() bool { return d.gate == nil }

// Forward is Δ.
func (d hub) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	h, x := d.Enter(p, t)
	return d.Leave(p, d.Inside(p, h, x), t)
}

// Enter is what others have made, at first the map's input or ones; and that input.
func (d hub) Enter(p *peft.Pass, t peft.Tap) (h, x *tensor.Tensor) {
	switch {
	case t.Branch != nil:
		return t.Branch, t.X
	case d.factors != nil:
		return t.X, t.X
	}
	n := t.X.Rows()
	return p.Scope().Tensor(slices.Repeat([]float64{1}, n*d.site.Out), n, d.site.Out).WithLayout(t.X.Layout()), t.X
}

// Inside is s·(h·Aᵀ)·Bᵀ, or α·l∘h.
func (d hub) Inside(p *peft.Pass, h, x *tensor.Tensor) *tensor.Tensor {
	if d.factors == nil {
		return d.scaled(p, tensor.Mul(h, d.vector(p)), x, d.columns())
	}
	a, b := d.factors(p)
	low := tensor.MatMulT(p.Dropout(h, d.dropout, d.key), a)
	return tensor.MatMulT(d.scaled(p, low, x, d.blocks(a.Rows())), b)
}

// scaled is y times s or α; or times the gates, of which gate i counts for the columns in which row i of parts has a one. Columns without a gate stay as they are.
func (d hub) scaled(p *peft.Pass, y, x *tensor.Tensor, parts []float64) *tensor.Tensor {
	if d.gate == nil {
		return tensor.Scale(y, d.scale)
	}
	n := len(parts) / len(d.parts)
	rest := slices.Repeat([]float64{1}, n)
	for i, one := range parts {
		rest[i%n] -= one
	}
	g := tensor.MatMul(d.gate.Value(p, x), p.Scope().Tensor(parts, len(d.parts), n))
	return tensor.Mul(y, peft.Spread(tensor.Add(g, p.Scope().Tensor(rest, 1, n)), x.Layout()))
}

// blocks says which of the r rows of A is each part's.
func (d hub) blocks(rows int) []float64 {
	all, r := make([]float64, len(d.parts)*rows), rows/len(d.parts)
	for i := range d.parts {
		for j := range r {
			all[i*rows+i*r+j] = 1
		}
	}
	return all
}

// columns says which of the map's outputs is each part's.
func (d hub) columns() []float64 {
	all := make([]float64, len(d.parts)*d.site.Out)
	for i, part := range d.parts {
		for j := part.Lo; j < part.Hi; j++ {
			all[i*d.site.Out+j] = 1
		}
	}
	return all
}

// Leave is y; or of IA3 (y − 1)∘(x·Wᵀ + b); or of DoRA (m/n − 1)∘(x·Wᵀ + b + y) + y, with n the lengths of the rows of W + B·A, without s.
func (d hub) Leave(p *peft.Pass, y *tensor.Tensor, t peft.Tap) *tensor.Tensor {
	switch {
	case d.factors == nil:
		return tensor.Mul(t.Y, tensor.Shift(y, -1))
	case d.m != nil:
		return tensor.Add(tensor.Mul(d.stretch(p), tensor.Add(t.Y, y)), y)
	}
	return y
}

// Joins is the map's output.
func (d hub) Joins() peft.Place { return peft.Out }

// stretch is m/n − 1 [1×out]. Gradients flow through n.
func (d hub) stretch(p *peft.Pass) *tensor.Tensor {
	a, b := d.factors(p)
	w := tensor.Add(p.Matrix(d.site.W).Dense(p.Scope()), tensor.MatMul(b, a))
	n := tensor.Apply(tensor.Sqrt, tensor.SumCols(tensor.Apply(tensor.Square, w)))
	return tensor.Reshape(tensor.Shift(tensor.Div(d.m.In(p), n), -1), 1, d.site.Out)
}

// vector is l [1×out], ones where no part is.
func (d hub) vector(p *peft.Pass) *tensor.Tensor {
	l := d.rows(p, 0, 1)
	for i := range d.parts[1:] {
		l = tensor.Mul(l, d.rows(p, i+1, 1))
	}
	return tensor.Reshape(l, 1, d.site.Out)
}

// hubLow is LoRA, which is one kernel with the map's own product.
type hubLow struct{ hub }

func (d hubLow) low() *factored { return &factored{d.branch, d.scale, d.factors} }

// LowRank is the product, for the site's own kernel.
func (d hubLow) LowRank(p *peft.Pass, t peft.Tap) *tensor.LowRank { return d.low().LowRank(p, t) }

// Fold makes W' = W + s·B·A.
func (d hubLow) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	return d.low().Fold(p, w, b)
}

// hubIA3 is IA3. As in the library, α counts for the columns of a fused map too that no l is for.
type hubIA3 struct{ hub }

func (d hubIA3) rescale() *after {
	return &after{func(p *peft.Pass, y *tensor.Tensor) *tensor.Tensor {
		return tensor.Mul(y, tensor.Shift(tensor.Scale(d.vector(p), d.scale), -1))
	}}
}

// Forward is (α·l − 1)∘y.
func (d hubIA3) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor { return d.rescale().Forward(p, t) }

// Fold makes W' = α·l∘W, row by row, and b' = α·l∘b.
func (d hubIA3) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	return d.rescale().Fold(p, w, b)
}

// hubGated is an update with a gate.
type hubGated struct{ hub }

// Kind says why it has no Fold.
func (hubGated) Kind() string { return "LoRA with a gate, which differs from sequence to sequence," }

// hubDoRA is DoRA.
type hubDoRA struct{ hub }

// Fold makes W' = (m/n)∘(W + s·B·A), row by row, and b' = (m/n)∘b.
func (d hubDoRA) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	stretch := d.stretch(p)
	w, b = hubLow(d).Fold(p, w, b)
	w = tensor.Add(w, tensor.Mul(w, tensor.Transpose(stretch)))
	if b != nil {
		b = tensor.Add(b, tensor.Mul(b, tensor.Reshape(stretch, b.Len())))
	}
	return w, b
}

// both are the factors of the update of the whole map: the blocks of B stand in the rows of their parts and the columns of their A.
func (d hub) both(a *peft.Param) func(p *peft.Pass) (_, b *tensor.Tensor) {
	if len(d.parts) == 1 && d.b.Tensor().Rows() == d.site.Out {
		return func(p *peft.Pass) (_, b *tensor.Tensor) { return a.In(p), d.b.In(p) }
	}
	return func(p *peft.Pass) (_, b *tensor.Tensor) {
		var turned []*tensor.Tensor
		for i := range d.parts {
			turned = append(turned, tensor.Transpose(d.rows(p, i, 0)))
		}
		return a.In(p), tensor.Transpose(tensor.Stack(nil, turned...))
	}
}

// rows is part i's rows of the parameter B, in their places among all output columns; elsewhere stands one number.
func (d hub) rows(p *peft.Pass, i int, elsewhere float64) *tensor.Tensor {
	b, from := d.b.In(p), 0
	for _, earlier := range d.parts[:i] {
		from += earlier.Hi - earlier.Lo
	}
	rest := p.Scope().Tensor(slices.Repeat([]float64{elsewhere}, b.Cols()), 1, b.Cols())
	idx, part := make([]int32, d.site.Out), d.parts[i]
	for row := range idx {
		idx[row] = int32(b.Rows())
		if row >= part.Lo && row < part.Hi {
			idx[row] = int32(from + row - part.Lo)
		}
	}
	return tensor.GatherRows(tensor.Stack(nil, b, rest), idx, nil)
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
