package lora

import (
	"peft/peft"
	"peft/tensor"
)

// A branch is what the deltas at the output of a linear map share: dropout on their input.
type branch struct {
	dropout float64
	key     string // of the dropout
}

func branchOf(l *peft.Linear, dropout float64) branch { return branch{dropout, l.Name() + "/dropout"} }

// RowWise is true: what is added at the output of a linear map is a function of each row.
func (branch) RowWise() bool { return true }

func (b branch) input(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	return p.Dropout(t.X, b.dropout, b.key)
}

// product is the delta x·ΔWᵀ of a method that makes the whole update ΔW [out×in].
type product struct {
	branch
	update func(p *peft.Pass) *tensor.Tensor
}

// Forward is x·ΔWᵀ.
func (d *product) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	return tensor.MatMulT(d.input(p, t), d.update(p))
}

// Fold makes W' = W + ΔW.
func (d *product) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	return tensor.Add(w, d.update(p)), b
}

// factored is the delta s·(x·Aᵀ)·Bᵀ of a method that makes two thin factors A [r×in] and B [out×r].
type factored struct {
	branch
	scale   float64
	factors func(p *peft.Pass) (a, b *tensor.Tensor)
}

// LowRank is the product, for the site's own kernel.
func (d *factored) LowRank(p *peft.Pass, t peft.Tap) *tensor.LowRank {
	a, b := d.factors(p)
	return &tensor.LowRank{X: d.input(p, t), A: a, B: b, Scale: d.scale}
}

// Forward is the product by itself.
func (d *factored) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor { return d.LowRank(p, t).Value() }

// Fold makes W' = W + s·B·A.
func (d *factored) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	left, right := d.factors(p)
	return tensor.Add(w, tensor.Scale(tensor.MatMul(right, left), d.scale)), b
}

// added is the delta f(x) of a method that is best described by what it does to rows: f is linear in each row.
type added struct {
	branch
	f func(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor
}

// Forward is f(x).
func (d *added) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor { return d.f(p, d.input(p, t)) }

// Fold makes W' = W + f(I)ᵀ.
func (d *added) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	return tensor.Add(w, tensor.Transpose(d.f(p, identity(p, w.Cols())))), b
}

// before is the delta f(x) at a site's input, which becomes x + f(x): f is linear in each row.
type before struct {
	f func(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor
}

// RowWise is true.
func (*before) RowWise() bool { return true }

// Forward is f(x).
func (d *before) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor { return d.f(p, t.X) }

// Fold makes W' = W + W·f(I)ᵀ.
func (d *before) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	return tensor.Add(w, tensor.MatMulT(w, d.f(p, identity(p, w.Cols())))), b
}

// after is the delta f(y) at a site's output, bias and all, which becomes y + f(y): f is linear in each row.
type after struct {
	f func(p *peft.Pass, y *tensor.Tensor) *tensor.Tensor
}

// RowWise is true.
func (*after) RowWise() bool { return true }

// Forward is f(y).
func (d *after) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor { return d.f(p, t.Y) }

// Fold makes W' = W + f(Wᵀ)ᵀ and b' = b + f(b).
func (d *after) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	w = tensor.Add(w, tensor.Transpose(d.f(p, tensor.Transpose(w))))
	if b != nil {
		row := tensor.Reshape(b, 1, b.Len())
		b = tensor.Reshape(tensor.Add(row, d.f(p, row)), b.Len())
	}
	return w, b
}
