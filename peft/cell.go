package peft

import (
	"cmp"
	"slices"

	"peft/tensor"
)

// A Cell is a Delta at the output of a [Sublayer] or [Linear] that compositions take apart as AdapterHub's library does: the first of several says what all read, and the last how what comes
// out joins the model. What cells have made so far is t.Branch: at first a sublayer's branch, and nil at a linear map.
type Cell interface {
	Delta
	Enter(p *Pass, t Tap) (h, residual *tensor.Tensor)         // what it reads, and what else it needs, such as what its value is added to
	Inside(p *Pass, h, residual *tensor.Tensor) *tensor.Tensor // what becomes of these
	Leave(p *Pass, y *tensor.Tensor, t Tap) *tensor.Tensor     // Δ, where cells have made y
	Joins() Place                                              // where the site adds that
}

// A Runner is a Cell that compositions do not take apart, if they can do without.
type Runner interface {
	Cell
	Run(p *Pass, t Tap) *tensor.Tensor // what becomes of t.Branch
}

// A cells is one cell, or a composition of some.
type cells interface {
	first() Cell
	last() Cell
	unfolded() string                                                 // what keeps Δ from being folded into weights; empty: nothing
	run(p *Pass, t Tap, h *tensor.Tensor) *tensor.Tensor              // what becomes of what others have made
	inside(p *Pass, t Tap, h, residual *tensor.Tensor) *tensor.Tensor // what becomes of what was entered with
}

// seen is a tap of a site at which cells have made h.
func (t Tap) seen(p *Pass, h *tensor.Tensor) Tap {
	t.Branch = h
	if x, ok := t.Site.(*Sublayer); ok {
		t.Y = h
		t.Sum = func() *tensor.Tensor { return x.normed(p, t.Stream, h) }
	}
	return t
}

// A single is one cell.
type single struct{ Cell }

func (c single) first() Cell { return c.Cell }
func (c single) last() Cell  { return c.Cell }
func (c single) unfolded() string {
	if _, ok := c.Cell.(Folder); ok {
		return ""
	}
	return kindOf(c.Cell)
}
func (c single) run(p *Pass, t Tap, h *tensor.Tensor) *tensor.Tensor {
	if r, ok := c.Cell.(Runner); ok {
		return r.Run(p, t.seen(p, h))
	}
	read, residual := c.Enter(p, t.seen(p, h))
	return c.Inside(p, read, residual)
}
func (c single) inside(p *Pass, _ Tap, h, residual *tensor.Tensor) *tensor.Tensor {
	return c.Inside(p, h, residual)
}

// absent are no cells.
type absent struct{}

func (absent) first() Cell      { return nil }
func (absent) last() Cell       { return nil }
func (absent) unfolded() string { return "" }
func (absent) run(_ *Pass, _ Tap, h *tensor.Tensor) *tensor.Tensor {
	return h
}
func (absent) inside(_ *Pass, _ Tap, h, _ *tensor.Tensor) *tensor.Tensor { return h }

// several are cells that a composition is made of.
type several []cells

func (c several) first() Cell { return c[0].first() }
func (c several) last() Cell  { return c[len(c)-1].last() }
func (c several) unfolded() (why string) {
	for _, x := range c {
		why = cmp.Or(why, x.unfolded())
	}
	return why
}

// A chain is cells one after the other.
type chain struct{ several }

func (c chain) run(p *Pass, t Tap, h *tensor.Tensor) *tensor.Tensor {
	for _, x := range c.several {
		h = x.run(p, t, h)
	}
	return h
}

// last is of those that there are.
func (c chain) last() Cell {
	for _, x := range slices.Backward(c.several) {
		if last := x.last(); last != nil {
			return last
		}
	}
	return nil
}

// inside lets each cell of the chain enter anew.
func (c chain) inside(p *Pass, t Tap, h, _ *tensor.Tensor) *tensor.Tensor { return c.run(p, t, h) }

// A mean is Σ wᵢ·yᵢ of what cells make that enter as the first does.
type mean struct {
	several
	weights []float64
}

func (c mean) run(p *Pass, t Tap, h *tensor.Tensor) (sum *tensor.Tensor) {
	read, residual := c.first().Enter(p, t.seen(p, h))
	for i, x := range c.several {
		sum = plus(sum, x.inside(p, t, read, residual), c.weights[i])
	}
	return sum
}

// inside enters anew: only a single cell does not.
func (c mean) inside(p *Pass, t Tap, h, _ *tensor.Tensor) *tensor.Tensor { return c.run(p, t, h) }

// An among is cells that enter as the first does, of which each has a share of the rows.
type among struct {
	several
	shares func(p *Pass, l *tensor.Layout) []rowShare
}

func (c among) unfolded() string { return "a part that lets sequences go through different patches" }

func (c among) run(p *Pass, t Tap, h *tensor.Tensor) *tensor.Tensor {
	read, residual := c.first().Enter(p, t.seen(p, h))
	var values []*tensor.Tensor
	at, from := int32(0), make([]int32, t.X.Rows())
	for i, s := range c.shares(p, t.X.Layout()) {
		if len(s.rows) == 0 {
			continue
		}
		t := Tap{Site: t.Site, X: s.of(t.X), Stream: s.of(t.Stream)}
		values = append(values, c.several[i].inside(s.pass, t, s.of(read), s.of(residual)))
		for j, row := range s.rows {
			if !s.void {
				from[row] = at + int32(j)
			}
		}
		at += int32(len(s.rows))
	}
	return tensor.GatherRows(tensor.Stack(nil, values...), from, t.X.Layout())
}

// inside enters anew.
func (c among) inside(p *Pass, t Tap, h, _ *tensor.Tensor) *tensor.Tensor { return c.run(p, t, h) }

// A composed is cells as a Delta.
type composed struct{ cells }

// A foldedComposed is a composed that folds.
type foldedComposed struct{ composed }

// delta is cells as a Delta.
func delta(c cells) Delta {
	if c.unfolded() == "" {
		return foldedComposed{composed{c}}
	}
	return composed{c}
}

// Kind says why it has no Fold.
func (c composed) Kind() string { return "a composition with " + c.unfolded() }

// Forward is Δ.
func (c composed) Forward(p *Pass, t Tap) *tensor.Tensor {
	return leaver(c).Leave(p, c.run(p, t, t.Branch), t)
}

// leaver is the last of cells; or the first, where the last patch has none.
func leaver(c cells) Cell {
	if last := c.last(); last != nil {
		return last
	}
	return c.first()
}

// Fold finds what Δ does to each of the numbers that the site reads, and to none of them.
func (c foldedComposed) Fold(p *Pass, w, b *tensor.Tensor) (w2, b2 *tensor.Tensor) {
	in := w.Cols()
	one := make([]float64, (in+1)*in)
	for i := range in {
		one[(i+1)*in+i] = 1
	}
	x := p.scope.Tensor(one, in+1, in)
	y := tensor.Dense{W: w}.Linear(x, tensor.Affine{Bias: b})
	l := tensor.NewLayout(in + 1)
	d := c.Forward(p, Tap{X: x.WithLayout(l), Y: y.WithLayout(l)})
	none := tensor.Rows(d, 0, 1)
	w2 = tensor.Add(w, tensor.Transpose(tensor.Sub(tensor.Rows(d, 1, in+1), none)))
	if b == nil {
		return w2, nil
	}
	return w2, tensor.Add(b, tensor.Reshape(none, b.Len()))
}

// cellsAt are the cells that a patch has at a site; nil where it has none, and not ok where it has something else.
func (q *Patch) cellsAt(x Site) (c cells, ok bool) {
	all := append(q.Deltas(x, Out), q.Deltas(x, After)...)
	switch {
	case len(all) == 0:
		return nil, len(q.Deltas(x, In)) == 0
	case len(all) > 1:
		return nil, false
	}
	switch d := all[0].(type) {
	case foldedComposed:
		return d.cells, true
	case composed:
		return d.cells, true
	case Cell:
		return single{d}, true
	}
	return nil, false
}

// cellsOf are those of several patches at a site, without the patches that have none.
func cellsOf(of []*Patch, x Site) (all several, ok bool) {
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

// besides are the cells of the patches at a site, to stand beside each other. As in AdapterHub's library a patch that has none at a sublayer lets pass what the first reads; with whole, this is
// a composition. Not ok is what the library does not know.
func (c *composer) besides(x Site, whole bool) (all several, ok bool) {
	_, sublayer := x.(*Sublayer)
	for _, q := range c.of {
		y, ok := q.cellsAt(x)
		switch {
		case !ok, y == nil && !sublayer, y == nil && whole && q.method.(*composition).kind == "single":
			return nil, false
		case y == nil:
			y = absent{}
		}
		all = append(all, y)
	}
	return all, all.first() != nil
}

// set lets a patch add at a site what cells make, and nothing else.
func (q *Patch) set(x Site, c cells) {
	q.deltas[x.base()] = []placed{{leaver(c).Joins(), delta(c)}}
}

// chain lets what the patches do at each site be a chain, at a sublayer also of one: within another composition that enters anew.
func (c *composer) chain() {
	for x := range c.sites.All() {
		_, sublayer := x.(*Sublayer)
		if all, ok := cellsOf(c.of, x); ok && (sublayer || len(all) > 1) {
			c.set(x, chain{all})
		}
	}
}

// grounded is a patch without what it does to streams of rows: of several, the first alone does that.
func (q *Patch) grounded() *Patch {
	c := q.apart()
	for x := range c.sites.All() {
		if h, ok := x.(*Hidden); ok {
			delete(c.deltas, h.base())
			delete(c.rows, h.base())
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
