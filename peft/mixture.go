package peft

import (
	"fmt"
	"strings"

	"peft/tensor"
)

// A Mixture is a method of which there are several experts: what it trains at its sites is pools. A pass of training draws one expert of each pool for the whole batch, and only that gets a
// gradient; weight and bias of one map are drawn together. In evaluation each pool is its mean, which is also what is saved: the [Collapser]'s final form is a patch of the method itself
// (AdaMix: Wang et al. 2022, arXiv:2205.12410).
type Mixture struct {
	Of      Method
	Experts int                    // in each pool, at least 1
	One     func(name string) bool // parameters of which there is only one, by name; nil: none. What stands in for the base's own, such as a head, is never pooled
	Alike   bool                   // the experts start as copies of the first, rather than drawn one by one
}

// Attach attaches the method and makes its parameters pools.
func (c Mixture) Attach(s *Sites, rng Rand) (*Patch, error) {
	if c.Experts < 1 {
		return nil, fmt.Errorf("peft: mixture: Experts is %d, must be at least 1", c.Experts)
	}
	if err := c.static(); err != nil {
		return nil, err
	}
	q, err := c.Of.Attach(s, rng)
	for range c.Experts - 1 {
		if err == nil {
			err = c.grow(q, rng)
		}
	}
	return q, err
}

// static refuses methods that move parameters by rules of their own: they know one tensor for each.
func (c Mixture) static() error {
	for m := range Methods(c.Of) {
		_, starts := m.(interface{ Start(q *Patch) error })
		_, steps := m.(interface {
			Stepped(q *Patch, grads tensor.Grads, step, total int) error
		})
		if starts || steps {
			return fmt.Errorf("peft: mixture: %T moves its parameters by rules of its own, which pools have none of", m)
		}
	}
	return nil
}

// grow adds one expert to each pool.
func (c Mixture) grow(q *Patch, rng Rand) error {
	next := q
	if !c.Alike {
		var err error
		if next, err = c.Of.Attach(q.sites, rng); err != nil {
			return err
		}
	}
	for _, x := range q.params {
		if !c.pooled(x) {
			continue
		}
		t := next.byName[x.Name].Tensor()
		if c.Alike {
			t = q.sites.dev.Param(t.Float64s(), t.Shape()...)
		}
		x.Pool = append(x.Pool, t)
	}
	return nil
}

func (c Mixture) pooled(x *Param) bool {
	return !x.Fixed && strings.Contains(x.Name, "/") && (c.One == nil || !c.One(x.Name))
}

// Unwrap is the method that there are several experts of.
func (c Mixture) Unwrap() Method { return c.Of }

// Collapse puts the mean of each pool in its place.
func (c Mixture) Collapse(p *Pass, q *Patch) (Method, map[string]*tensor.Tensor) {
	means := map[string]*tensor.Tensor{}
	for _, x := range q.params {
		if len(x.Pool) > 1 {
			means[x.Name] = x.In(p)
		}
	}
	return c.Of, means
}

// Draw is the number of the expert of a pool that a pass of training uses.
func (x *Param) Draw(p *Pass) int {
	name := strings.TrimSuffix(strings.TrimSuffix(x.Name, ".weight"), ".bias")
	return int(p.Key(name+"/expert") % uint64(len(x.Pool)))
}
