package lora

import (
	"peft/peft"
	"peft/tensor"
)

// embedding puts an update of a table: ΔW = W ∘ (B·A)ᵀ, A [r×rows], which starts at zero, B [size×r].
func (c HiRA) embedding(q *peft.Patch, e *peft.Embedding, rng peft.Rand) error {
	r, err := c.rank(e)
	if err != nil {
		return err
	}
	a := c.Init.last(func() []float64 { return peft.Normal(rng, r*e.Num, 1) })
	q.Add(e, peft.Out, hiraEmbedding{&embedding{
		A: q.NewParam(e.Name()+"/hira_embedding_A", a, r, e.Num), B: q.NewParam(e.Name()+"/hira_embedding_B", peft.Normal(rng, e.Size*r, 1), e.Size, r), scale: 1,
	}, e})
	return nil
}

// hiraEmbedding is Δ(ids) = W[ids] ∘ (Aᵀ[ids]·Bᵀ).
type hiraEmbedding struct {
	*embedding
	site *peft.Embedding
}

// Forward is what is added to the rows looked up, whatever else was added before.
func (d hiraEmbedding) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	rows := p.Matrix(d.site.W).Gather(p.Scope(), t.IDs).WithLayout(t.Y.Layout())
	return tensor.Mul(rows, d.embedding.Forward(p, t))
}

// Fold makes W' = W + W₀ ∘ (B·A)ᵀ, with W₀ the table as it is without what was folded before.
func (d hiraEmbedding) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	update := tensor.Transpose(tensor.MatMul(d.B.In(p), d.A.In(p)))
	return tensor.Add(w, tensor.Mul(p.Matrix(d.site.W).Dense(p.Scope()), update)), b
}
