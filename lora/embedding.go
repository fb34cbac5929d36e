package lora

import (
	"peft/peft"
	"peft/tensor"
)

// embedding makes the parameters of an update of a table: here A [r×rows] starts at zero and B [size×r] is normal.
func (c Config) embedding(q *peft.Patch, e *peft.Embedding, r int, scale float64, rng peft.Rand) *embedding {
	var a []float64
	if c.Init == Random {
		a = peft.Normal(rng, r*e.Num, 1)
	}
	b := peft.Normal(rng, e.Size*r, 1)
	return &embedding{
		A: q.NewParam(e.Name()+"/lora_embedding_A", a, r, e.Num), B: q.NewParam(e.Name()+"/lora_embedding_B", b, e.Size, r), scale: scale,
	}
}

// embedding is Δ(ids) = s·Aᵀ[ids]·Bᵀ.
type embedding struct {
	A, B  *peft.Param
	scale float64
}

// RowWise is true.
func (*embedding) RowWise() bool { return true }

// Forward is what is added to the rows looked up.
func (d *embedding) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	rows := tensor.GatherRows(tensor.Transpose(d.A.In(p)), t.IDs, t.Y.Layout())
	return tensor.Scale(tensor.MatMulT(rows, d.B.In(p)), d.scale)
}

// Fold makes W' = W + s·(B·A)ᵀ.
func (d *embedding) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	update := tensor.Transpose(tensor.MatMul(d.B.In(p), d.A.In(p)))
	return tensor.Add(w, tensor.Scale(update, d.scale)), b
}
