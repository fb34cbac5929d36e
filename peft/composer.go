package peft

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"peft/tensor"
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

// join lets the patch add, at each place of each site, what make makes of that which the patches add there.
func (c *composer) join(make func(of []branch) Delta, sum func(*Pass, []*tensor.Tensor) *tensor.Tensor) (*Patch, error) {
	kind := c.setup().kind
	for x := range c.sites.All() {
		for _, q := range c.of {
			if len(q.rows[x.base()]) > 0 {
				return nil, fmt.Errorf("peft: %s: %s: rows that are put in front belong to whole sequences of one patch", kind, x.Name())
			}
			for _, f := range x.Frozen() {
				if len(q.standIns[f]) > 0 && !c.wholes()[f.Name] {
					return nil, fmt.Errorf("peft: %s: what stands in for %s holds for all patches", kind, f.Name)
				}
			}
		}
		if s, ok := x.(*Sublayer); ok {
			if all, ok := cellsOf(c.of, s); ok && len(all) == len(c.of) {
				c.set(s, composed{cells: beside{all, sum}})
				continue
			}
		}
		if h, ok := x.(*Hidden); ok {
			c.deltas[h.base()] = c.of[0].deltas[h.base()]
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
