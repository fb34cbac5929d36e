package peft

import "peft/tensor"

// A Hidden is the site of a stream of rows as it is: the output of an embedding, of a block, of the whole encoder. Rows that are put in here have no positions.
type Hidden struct {
	site
	Size int
}

// Frozen is empty: a stream has no parameters.
func (h *Hidden) Frozen() []*Frozen { return nil }

// Apply is x + Δ, with the rows that are put in.
func (h *Hidden) Apply(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	h.check()
	return p.split(h, x.Layout(), func(p *Pass, pick share) *tensor.Tensor {
		x := pick.rows(x)
		for _, d := range p.deltas(h, Out) {
			x = tensor.Add(x, d.Forward(p, Tap{Site: h, X: x, Y: x}))
		}
		for _, r := range p.rows(h) {
			x = r.Forward(p, Tap{Site: h, X: x, Y: x}).into(x, 0)
		}
		return x
	})
}

// A Sequence is the site where rows may be put into the input of a model, or of each of its stacks, whose [Attention] sites follow it. It stands before positions are looked up, so that
// the new rows have theirs and the others move on.
type Sequence struct {
	site
	Size  int
	First int // the position of a sequence's first row, where that is not 0
}

// Frozen is empty: a sequence has no parameters.
func (q *Sequence) Frozen() []*Frozen { return nil }

// Apply puts rows into the sequences of x. Positions are those of the result's layout from here on, and rows that it has as virtual are not the input's.
func (q *Sequence) Apply(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	q.check()
	return p.split(q, x.Layout(), func(p *Pass, pick share) *tensor.Tensor {
		x := pick.rows(x)
		for _, r := range p.rows(q) {
			x = r.Forward(p, Tap{Site: q, X: x, Y: x}).into(x, q.First)
		}
		return x
	})
}
