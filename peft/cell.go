package peft

import (
	"slices"

	"peft/tensor"
)

// A Cell is a Delta of a [Sublayer] that compositions take apart as AdapterHub's library does: the first of several says what all read, and the last how what comes out joins the model.
type Cell interface {
	Delta
	Enter(p *Pass, t Tap) (h, residual *tensor.Tensor)         // what it reads, and what its value is added to, where the branch so far is t.Branch
	Inside(p *Pass, h, residual *tensor.Tensor) *tensor.Tensor // what becomes of these
	Leave(y *tensor.Tensor, t Tap) *tensor.Tensor              // Δ, where y is what became of t.Branch
	Joins() Place                                              // where the sublayer adds that
}

// A cells is one cell, or a composition of some.
type cells interface {
	first() Cell
	last() Cell
	run(p *Pass, t Tap, h *tensor.Tensor) *tensor.Tensor              // what becomes of a branch
	inside(p *Pass, t Tap, h, residual *tensor.Tensor) *tensor.Tensor // what becomes of what was entered with
}

// seen is a tap of a sublayer whose branch has become h.
func (t Tap) seen(p *Pass, h *tensor.Tensor) Tap {
	x, stream := t.Site.(*Sublayer), t.Stream
	return Tap{Site: x, X: t.X, Y: h, Stream: stream, Branch: h, Sum: func() *tensor.Tensor { return x.normed(p, stream, h) }}
}

// A single is one cell.
type single struct{ Cell }

func (c single) first() Cell { return c.Cell }
func (c single) last() Cell  { return c.Cell }
func (c single) run(p *Pass, t Tap, h *tensor.Tensor) *tensor.Tensor {
	read, residual := c.Enter(p, t.seen(p, h))
	return c.Inside(p, read, residual)
}
func (c single) inside(p *Pass, _ Tap, h, residual *tensor.Tensor) *tensor.Tensor {
	return c.Inside(p, h, residual)
}

// A chain is cells one after the other.
type chain []cells

func (c chain) first() Cell { return c[0].first() }
func (c chain) last() Cell  { return c[len(c)-1].last() }
func (c chain) run(p *Pass, t Tap, h *tensor.Tensor) *tensor.Tensor {
	for _, x := range c {
		h = x.run(p, t, h)
	}
	return h
}

// inside lets each cell of the chain enter anew.
func (c chain) inside(p *Pass, t Tap, h, _ *tensor.Tensor) *tensor.Tensor { return c.run(p, t, h) }

// beside are cells of which each has its part in the value.
type beside struct {
	of   []cells
	join func(p *Pass, values []*tensor.Tensor) *tensor.Tensor
}

func (c beside) first() Cell { return c.of[0].first() }
func (c beside) last() Cell  { return c.of[len(c.of)-1].last() }
func (c beside) run(p *Pass, t Tap, h *tensor.Tensor) *tensor.Tensor {
	read, residual := c.first().Enter(p, t.seen(p, h))
	return c.share(p, t, read, residual)
}

// inside enters anew: only a single cell does not.
func (c beside) inside(p *Pass, t Tap, h, _ *tensor.Tensor) *tensor.Tensor { return c.run(p, t, h) }

func (c beside) share(p *Pass, t Tap, h, residual *tensor.Tensor) *tensor.Tensor {
	var values []*tensor.Tensor
	for _, x := range c.of {
		values = append(values, x.inside(p, t, h, residual))
	}
	return c.join(p, values)
}

// A composed is cells as a Delta. Where others are beside them, the first of all enters and the last of all leaves.
type composed struct {
	cells
	enter, leave Cell // nil: their own
}

// Kind says why it has no Fold.
func (c composed) Kind() string { return "a composition with " + kindOf(c.last()) }

// Forward is Δ.
func (c composed) Forward(p *Pass, t Tap) *tensor.Tensor {
	if c.enter == nil {
		return c.last().Leave(c.run(p, t, t.Branch), t)
	}
	h, residual := c.enter.Enter(p, t.seen(p, t.Branch))
	return c.leave.Leave(c.inside(p, t, h, residual), t)
}

// cellsAt are the cells that a patch has at a sublayer; nil where it has none, and not ok where it has something else.
func (q *Patch) cellsAt(x *Sublayer) (c cells, ok bool) {
	all := append(q.Deltas(x, Out), q.Deltas(x, After)...)
	switch {
	case len(all) == 0:
		return nil, len(q.Deltas(x, In)) == 0
	case len(all) > 1:
		return nil, false
	}
	switch d := all[0].(type) {
	case composed:
		return d.cells, d.enter == nil
	case Cell:
		return single{d}, true
	}
	return nil, false
}

// cellsOf are those of several patches at a sublayer, without the patches that have none.
func cellsOf(of []*Patch, x *Sublayer) (all []cells, ok bool) {
	for _, q := range of {
		c, ok := q.cellsAt(x)
		if !ok {
			return nil, false
		}
		if c != nil {
			all = append(all, c)
		}
	}
	return all, len(all) > 0
}

// set lets a patch do at a sublayer what cells do, and nothing else.
func (q *Patch) set(x *Sublayer, d composed) {
	last := d.leave
	if last == nil {
		last = d.last()
	}
	q.deltas[x.base()] = []placed{{last.Joins(), d}}
}

// chain lets what the patches do at each sublayer be a chain, also of one: within another composition that enters anew.
func (c *composer) chain() {
	for x := range c.sites.Sublayers() {
		if all, ok := cellsOf(c.of, x); ok {
			c.set(x, composed{cells: chain(all)})
		}
	}
}

// parted lets what each part does at a sublayer begin as in the first and end as in the last.
func (c *composer) parted() {
	for x := range c.sites.Sublayers() {
		all, ok := cellsOf(c.of, x)
		if !ok || len(all) < len(c.of) {
			continue
		}
		for i := range c.parts {
			c.parts[i].Patch.set(x, composed{all[i], all[0].first(), all[len(all)-1].last()})
		}
	}
}

// grounded is a patch without what it adds to hidden states: of several, the first alone does that.
func (q *Patch) grounded() *Patch {
	c := q.apart()
	for x := range c.sites.All() {
		if h, ok := x.(*Hidden); ok {
			delete(c.deltas, h.base())
		}
	}
	return c
}

// apart is a patch whose deltas and rows may be changed without changing those of another.
func (q *Patch) apart() *Patch {
	c := *q
	c.deltas, c.rows = map[*site][]placed{}, map[*site][]Rows{}
	for s, all := range q.deltas {
		c.deltas[s] = slices.Clone(all)
	}
	for s, all := range q.rows {
		c.rows[s] = slices.Clone(all)
	}
	return &c
}
