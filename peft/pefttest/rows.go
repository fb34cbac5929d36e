package pefttest

import (
	"math/rand/v2"

	"peft/peft"
	"peft/tensor"
)

// rows: a delta that says that it treats each row by itself makes the same of some rows as of all.
func (b bench) rows() {
	q := b.moved(b.exact, 13)
	p := peft.With(b.exact, q).NoGrad()
	defer p.Close()
	for x := range q.Sites().All() {
		for _, at := range []peft.Place{peft.In, peft.Out, peft.After} {
			for _, d := range q.Deltas(x, at) {
				if r, ok := d.(peft.RowWiser); ok && r.RowWise() {
					b.apart(p, x, d, at)
				}
			}
		}
	}
}

// apart compares what a delta makes of the first rows of two sequences with what it makes of all.
func (b bench) apart(p *peft.Pass, x peft.Site, d peft.Delta, at peft.Place) {
	all := tensor.NewLayout(3, 2)
	t := tapOf(p, x, at, all)
	firsts := []int32{0, 3}
	pick := func(y *tensor.Tensor) *tensor.Tensor {
		if y == nil {
			return nil
		}
		return tensor.GatherRows(y, firsts, tensor.Singles(len(firsts)))
	}
	some := peft.Tap{Site: x, X: pick(t.X), Y: pick(t.Y), Stream: pick(t.Stream), Branch: pick(t.Branch)}
	if t.IDs != nil {
		some.IDs = []int32{t.IDs[0], t.IDs[3]}
	}
	if t.Sum != nil {
		some.Sum = func() *tensor.Tensor { return pick(t.Sum()) }
	}
	want := tensor.Add(t.Y, d.Forward(p, t)) // of a row for all, too
	b.near(pick(want).Float64s(), tensor.Add(some.Y, d.Forward(p, some)).Float64s(), error64)
}

// tapOf is what a place of a site might show.
func tapOf(p *peft.Pass, x peft.Site, at peft.Place, l *tensor.Layout) peft.Tap {
	rng := rand.New(rand.NewPCG(3, 4))
	draw := func(cols int) *tensor.Tensor {
		return p.Scope().Tensor(peft.Normal(rng, l.Rows()*cols, 1), l.Rows(), cols).WithLayout(l)
	}
	t := peft.Tap{Site: x}
	switch x := x.(type) {
	case *peft.Linear:
		t.X, t.Y = draw(x.In), draw(x.Out)
		if at == peft.In {
			t.Y = t.X
		}
	case *peft.Embedding:
		t.IDs, t.Y = []int32{3, 1, 4, 1, 5}, draw(x.Size)
	case *peft.Sublayer:
		t.X, t.Stream, t.Branch = draw(x.Size), draw(x.Size), draw(x.Size)
		t.Y, t.Sum = t.Branch, func() *tensor.Tensor { return tensor.Add(t.Stream, t.Branch) }
		if at == peft.After {
			t.Y = t.Sum()
		}
	default:
		t.X = draw(Size)
		t.Y = t.X
	}
	return t
}
