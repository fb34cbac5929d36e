package peft

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A part is a patch that is on for some sequences of a batch.
type part struct {
	*Patch
	on func(sequence, of int) bool
}

// A composer makes one patch of several.
type composer struct {
	*Patch
	of []*Patch // with parameters of names that tell them apart
}

// newComposer is an empty composition of patches, which has their parameters. Some may not hold batches apart themselves.
func newComposer(kind string, patches []*Patch, whole bool) (*composer, error) {
	if len(patches) == 0 {
		return nil, fmt.Errorf("peft: %s: found no patches", kind)
	}
	c := &composer{Patch: NewPatch(patches[0].sites)}
	c.method = &composition{kind: kind}
	for i, q := range patches {
		if q.sites.model != c.sites.model {
			return nil, fmt.Errorf("peft: %s: the patches are of different models", kind)
		}
		if whole && len(q.parts) > 0 {
			return nil, fmt.Errorf("peft: %s of a composition that lets sequences go through different patches is not supported", kind)
		}
		q = lift(q, i)
		c.setup().children = append(c.setup().children, q.method.(*composition))
		if err := c.adopt(q); err != nil {
			return nil, fmt.Errorf("peft: %s: %w", kind, err)
		}
		c.of = append(c.of, q)
	}
	return c, nil
}

func (c *composer) setup() *composition { return c.method.(*composition) }

// lift is a patch as a composition of it alone, in which what it adds to the model bears its name. It shares the patch's tensors, and is changed without changing that.
func lift(q *Patch, number int) *Patch {
	if _, ok := q.method.(*composition); ok {
		return q
	}
	c := &composition{kind: "single", name: strconv.Itoa(number), leaf: q.copy()}
	if m, ok := q.method.(interface{ HubName() string }); ok {
		c.name = m.HubName()
	}
	one := NewPatch(q.sites)
	one.method = c
	one.take(c.leaf)
	for _, x := range c.leaf.params {
		y := x
		if strings.Contains(x.Name, "/") {
			named := *x
			y, named.Name = &named, c.name+":"+x.Name
		}
		one.own(y)
		one.origins[y], one.transposed[y], one.beside[y.Name] = origin{c.leaf, x}, c.leaf.transposed[x], q.beside[x.Name]
	}
	return one
}

// copy is a patch with parameters of its own that have the same tensors. What is added to the model still uses those of q.
func (q *Patch) copy() *Patch {
	c := *q
	c.params, c.byName, c.transposed, c.standIns = nil, map[string]*Param{}, map[*Param]bool{}, map[*Frozen][]StandIn{}
	c.origins = map[*Param]origin{}
	for _, x := range q.params {
		y := *x
		c.own(&y)
		c.transposed[&y] = q.transposed[x]
		if o, ok := q.origins[x]; ok {
			c.origins[&y] = o
		}
	}
	for f, vs := range q.standIns {
		for _, v := range vs {
			if w, ok := v.(Whole); ok {
				v = Whole{c.byName[w.Param.Name]}
			}
			c.standIns[f] = append(c.standIns[f], v)
		}
	}
	return &c
}

// take lets the patch do what another does.
func (q *Patch) take(o *Patch) {
	merge(q.deltas, o.deltas)
	merge(q.rows, o.rows)
	q.takeUntied(o)
	for f, vs := range o.standIns {
		if !q.wholes()[f.Name] {
			q.standIns[f] = append(q.standIns[f], vs...)
		}
	}
}

// adopt takes the parameters of another patch. What both train whole in place of the base's is one parameter from then on.
func (c *composer) adopt(q *Patch) error {
	for _, x := range q.params {
		have := c.byName[x.Name]
		switch {
		case have == nil:
			c.own(x)
			c.origins[x], c.transposed[x], c.beside[x.Name] = q.origins[x], q.transposed[x], q.beside[x.Name]
		case have.Pool[0] == x.Pool[0]:
		case strings.Contains(x.Name, "/"):
			return errors.New("two patches have the same name: " + strings.SplitN(x.Name, ":", 2)[0])
		case !wholeIn(c.Patch, q, x.Name):
			return fmt.Errorf("two patches train entries of %s", x.Name)
		case !slices.Equal(have.Tensor().Float64s(), x.Tensor().Float64s()):
			return fmt.Errorf("two patches have different values of %s, of which a composition has one", x.Name)
		default:
			x.Pool = have.Pool
			for _, leaf := range q.method.(*composition).leaves() {
				if y := leaf.byName[x.Name]; y != nil {
					y.Pool = have.Pool
				}
			}
		}
	}
	c.takeUntied(q)
	for f, vs := range q.standIns {
		for _, v := range vs {
			if w, ok := v.(Whole); ok && len(c.standIns[f]) == 0 {
				c.standIns[f] = append(c.standIns[f], w)
			}
		}
	}
	return nil
}

// join lets the patch add, at each place of each site, what make makes of that which the patches add there; or where all have cells, of these.
func (c *composer) join(make func(of []branch) Delta, cell func(of several) cells) (*Patch, error) {
	for x := range c.sites.All() {
		if h, ok := x.(*Hidden); ok {
			c.firstAt(h)
			continue
		}
		if err := c.joins(x); err != nil {
			return nil, err
		}
		if all, ok := c.besides(x, true); ok {
			c.set(x, cell(all))
			continue
		}
		for _, at := range []Place{In, Out, After} {
			of, some := []branch{}, false
			for _, q := range c.of {
				of = append(of, q.Deltas(x, at))
				some = some || len(of[len(of)-1]) > 0
			}
			if some {
				c.Add(x, at, make(of))
			}
		}
	}
	return c.Patch, nil
}

// joins refuses what cannot be joined at a site.
func (c *composer) joins(x Site) error {
	kind := c.setup().kind
	for _, q := range c.of {
		if len(q.rows[x.base()]) > 0 {
			return fmt.Errorf("peft: %s: %s: rows that are put in front belong to whole sequences of one patch", kind, x.Name())
		}
		for _, f := range x.Frozen() {
			if len(q.standIns[f]) > 0 && !c.wholes()[f.Name] {
				return fmt.Errorf("peft: %s: what stands in for %s holds for all patches", kind, f.Name)
			}
		}
	}
	return nil
}

// firstAt lets the patch do at a stream of rows what the first of the patches does: as in AdapterHub's library, the others do nothing there.
func (c *composer) firstAt(h *Hidden) {
	c.deltas[h.base()], c.rows[h.base()] = c.of[0].deltas[h.base()], c.of[0].rows[h.base()]
}

// deal lets each sequence go through one of the patches. Where all have cells, or rows that stand nowhere, the patch itself holds them apart; what else they do is on for its sequences only.
func (c *composer) deal(d deal) {
	var parts []part
	for i, q := range c.of {
		parts = append(parts, part{q.apart(), d.to(i, nil)})
		for _, within := range q.parts {
			parts = append(parts, part{within.apart(), d.to(i, within.on)})
		}
	}
	for x := range c.sites.All() {
		if h, ok := x.(*Hidden); ok {
			c.firstAt(h)
		} else if !c.dealt(x, d) {
			continue
		}
		for _, q := range parts {
			delete(q.deltas, x.base())
			delete(q.rows, x.base())
		}
	}
	for _, q := range parts {
		q.standIns = c.unshared(q.standIns)
		if len(q.deltas)+len(q.rows)+len(q.standIns)+len(q.untied) > 0 {
			c.parts = append(c.parts, q)
		}
	}
}

// dealt lets the patch itself do at a site what its parts do there, if it can.
func (c *composer) dealt(x Site, d deal) bool {
	if a, ok := x.(*Attention); ok {
		return c.dealRows(a, d)
	}
	all, ok := c.besides(x, false)
	if ok {
		c.set(x, among{all, d.shares(len(all))})
	}
	return ok
}

// unshared are stand-ins that are not those of all parts.
func (c *composer) unshared(of map[*Frozen][]StandIn) map[*Frozen][]StandIn {
	own := map[*Frozen][]StandIn{}
	for f, vs := range of {
		if !c.wholes()[f.Name] {
			own[f] = vs
		}
	}
	return own
}
