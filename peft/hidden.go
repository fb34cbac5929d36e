package peft

import "peft/tensor"

// A Hidden is the site of a stream of rows as it is: the output of an embedding, of a block, of the whole encoder.
type Hidden struct {
	site
	Size int
}

// Frozen is empty: a stream has no parameters.
func (h *Hidden) Frozen() []*Frozen { return nil }

// Apply is x + Δ.
func (h *Hidden) Apply(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	h.check()
	return p.split(h, x.Layout(), func(p *Pass, pick share) *tensor.Tensor {
		x := pick.rows(x)
		for _, d := range p.deltas(h, Out) {
			x = tensor.Add(x, d.Forward(p, Tap{Site: h, X: x, Y: x}))
		}
		return x
	})
}

// A Sequence is the site where rows may be inserted into the input of a model.
type Sequence struct {
	site
	Size int
}

// Frozen is empty: a sequence has no parameters.
func (q *Sequence) Frozen() []*Frozen { return nil }

// Apply inserts rows into the sequences of x.
func (q *Sequence) Apply(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	q.check()
	return p.split(q, x.Layout(), func(p *Pass, pick share) *tensor.Tensor {
		x := pick.rows(x)
		for _, r := range p.rows(q) {
			x = r.Forward(p, Tap{Site: q, X: x, Y: x}).into(x)
		}
		return x
	})
}
