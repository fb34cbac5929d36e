package peft

import (
	"fmt"

	"peft/tensor"
)

// Gated is a method with a gate on everything that it adds and prepends: a number from 0 to 1 for each sequence, trained with the rest, which scales a delta's value, or the keys and values
// of rows (UniPELT: Mao et al. 2022, arXiv:2110.07577). A gate reads what its site reads. A gated delta cannot be folded into weights, since it is not linear any more.
//
// What is trained in place of the base's own parameters, such as a head, has no gate. A method that computes other weights from the base's cannot be gated, nor one that adapts embeddings or
// puts rows into the input.
func Gated(m Method) Method { return gatedMethod{m} }

type gatedMethod struct{ Method }

func (c gatedMethod) Attach(s *Sites, rng Rand) (*Patch, error) {
	q, err := c.Method.Attach(s, rng)
	if err != nil {
		return nil, err
	}
	g := gater{q, rng, 0}
	for x := range s.All() {
		if err := g.site(x); err != nil {
			return nil, fmt.Errorf("peft: gated: %s: %w", x.Name(), err)
		}
	}
	if g.found == 0 {
		return nil, fmt.Errorf("peft: gated: %T adds and prepends nothing that a gate could scale", c.Method)
	}
	return q, nil
}

// Unwrap is the method that is gated.
func (c gatedMethod) Unwrap() Method { return c.Method }

// A gater puts gates into a patch.
type gater struct {
	q     *Patch
	rng   Rand
	found int // how many gates there are
}

// site puts gates on all that is added and prepended at a site.
func (g *gater) site(x Site) error {
	deltas, rows := g.q.deltas[x.base()], g.q.rows[x.base()]
	for _, f := range x.Frozen() {
		if name := g.q.computed(f); name != "" {
			return fmt.Errorf("%s stands in for %s, and a weight cannot be scaled for each sequence", name, f.Name)
		}
	}
	if len(deltas)+len(rows) == 0 {
		return nil
	}
	size, err := g.q.sites.read(x)
	if err != nil {
		return err
	}
	for i, d := range deltas {
		deltas[i].Delta = gatedDelta{d.Delta, g.gate(x, size)}
	}
	for i, r := range rows {
		rows[i] = gatedRows{r, g.gate(x, size)}
	}
	return nil
}

func (g *gater) gate(x Site, size int) *SequenceGate {
	g.found++
	name := x.Name() + "/gate"
	for i := 1; g.q.Param(name+".weight") != nil; i++ {
		name = fmt.Sprintf("%s/gate%d", x.Name(), i)
	}
	return NewSequenceGate(g.q, name, size, 1, g.rng)
}

// computed is the type of a stand-in for f that is not trained values in place of the base's; empty if there is none.
func (q *Patch) computed(f *Frozen) string {
	for _, v := range q.standIns[f] {
		switch v.(type) {
		case Whole, Entries:
		default:
			return fmt.Sprintf("%T", v)
		}
	}
	return ""
}

// read is the size of the rows that a site reads.
func (s *Sites) read(x Site) (int, error) {
	switch x := x.(type) {
	case *Linear:
		return x.In, nil
	case *Sublayer:
		return x.Size, nil
	case *Hidden:
		return x.Size, nil
	case *Norm:
		return x.Size, nil
	case *Attention:
		if n := s.width(); n > 0 {
			return n, nil
		}
	}
	return 0, fmt.Errorf("a gate cannot read what this %T reads", x)
}

// gatedDelta is a delta times a gate on its site's input. It is no [Folder] and no [LowRanker], whatever the delta is.
type gatedDelta struct {
	Delta
	gate *SequenceGate
}

// Kind says why it has no Fold.
func (gatedDelta) Kind() string {
	return "an update with a gate, which differs from sequence to sequence,"
}

// Forward is gate·Δ.
func (d gatedDelta) Forward(p *Pass, t Tap) *tensor.Tensor {
	return tensor.Mul(d.Delta.Forward(p, t), Spread(d.gate.Value(p, t.X), t.X.Layout()))
}

// gatedRows are rows whose keys and values are scaled by a gate on their site's input.
type gatedRows struct {
	Rows
	gate *SequenceGate
}

// Forward is the rows, for each sequence its own.
func (r gatedRows) Forward(p *Pass, t Tap) Prepended {
	pre, g := r.Rows.Forward(p, t), r.gate.Value(p, t.X)
	pre.K, pre.V = PerSequence(pre.K, g), PerSequence(pre.V, g)
	return pre
}
