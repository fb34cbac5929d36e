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
	site *peft.Linear
	stretch
}

// dora adds the lengths to an update. base is the map's matrix beside the update, which an initialisation may have taken a part out of.
func (d *linear) dora(q *peft.Patch, l *peft.Linear, base func(*peft.Pass) tensor.Map) *dora {
	n := rowLengths{A: d.A, B: d.B, scale: d.scale, along: func(p *peft.Pass, a *tensor.Tensor) *tensor.Tensor {
		return base(p).Linear(a, tensor.Affine{})
	}}
	rows := func(p *peft.Pass) *tensor.Tensor {
		return tensor.SumCols(tensor.Apply(tensor.Square, base(p).Dense(p.Scope())))
	}
	return &dora{d, l, n.stretch(q, l, l.Out, rows)}
}

// LowRank is nil: the product alone is not the update.
func (d *dora) LowRank(*peft.Pass, peft.Tap) *tensor.LowRank { return nil }

// Forward is (m/n − 1)∘(base + s·B·A·x) + s·B·A·x, where base is the site's output so far without its bias. Dropout drops what both products read, as in Hugging Face PEFT.
func (d *dora) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	low := d.factored.Forward(p, t)
	return tensor.Add(tensor.Mul(d.more(p), tensor.Add(d.base(p, t), low)), low)
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

// Fold makes W' = (m/n)∘(W + s·B·A), row by row.
func (d *dora) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	w, b = d.factored.Fold(p, w, b)
	return tensor.Add(w, tensor.Mul(w, tensor.Transpose(d.more(p)))), b
}

// doraEmbedding is the same for a table, of whose columns the lengths are trained apart.
type doraEmbedding struct {
	*embedding
	stretch
}

// dora adds the lengths to an update of a table.
func (d *embedding) dora(q *peft.Patch, e *peft.Embedding) *doraEmbedding {
	n := rowLengths{A: d.A, B: d.B, scale: d.scale, along: func(p *peft.Pass, a *tensor.Tensor) *tensor.Tensor {
		return tensor.MatMul(a, e.W.W.Dense(p.Scope()))
	}}
	columns := func(p *peft.Pass) *tensor.Tensor {
		return tensor.SumRows(tensor.Apply(tensor.Square, e.W.W.Dense(p.Scope())))
	}
	return &doraEmbedding{d, n.stretch(q, e, e.Size, columns)}
}

// Forward is (m/n − 1)∘(rows + update) + update, of the rows looked up.
func (d *doraEmbedding) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	low := d.embedding.Forward(p, t)
	return tensor.Add(tensor.Mul(d.more(p), tensor.Add(t.Y, low)), low)
}

// Fold makes W' = (m/n)∘(W + s·(B·A)ᵀ), column by column.
func (d *doraEmbedding) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	w, b = d.embedding.Fold(p, w, b)
	return tensor.Add(w, tensor.Mul(w, d.more(p))), b
}
