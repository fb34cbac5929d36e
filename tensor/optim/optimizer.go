package optim

import (
	"errors"
	"fmt"
	"iter"
	"math"

	"peft/tensor"
)

// ErrNotFinite says that a gradient is infinite or NaN, and that nothing was updated.
var ErrNotFinite = errors.New("optim: the gradient is not finite")

// A Param is a trained tensor with the name under which its state is kept.
type Param struct {
	Name  string
	Value *tensor.Tensor
}

// A Group is parameters that one rule updates.
type Group struct {
	Rule   Rule
	Params []Param
}

// An Optimizer updates groups of parameters and holds their moments and step counts.
type Optimizer struct {
	// MaxNorm limits the global norm of the gradients, see [Clip]; 0 is no limit.
	MaxNorm float64

	slots []*slot
	named map[string]*slot
}

// A slot is one parameter with its rule and state.
type slot struct {
	Param
	rule    Rule
	steps   int
	moments []*tensor.Tensor // made at the first update
}

// New is an optimizer over the groups. It fails if a rule's numbers are out of range, or if a name or a tensor occurs twice.
func New(groups ...Group) (*Optimizer, error) {
	o := &Optimizer{named: map[string]*slot{}}
	seen := map[*tensor.Tensor]string{}
	for _, g := range groups {
		if err := g.Rule.Check(); err != nil {
			return nil, err
		}
		for _, p := range g.Params {
			if other, twice := seen[p.Value]; twice {
				return nil, fmt.Errorf("optim: %q and %q are the same tensor", other, p.Name)
			}
			if o.named[p.Name] != nil {
				return nil, fmt.Errorf("optim: two parameters are called %q", p.Name)
			}
			seen[p.Value] = p.Name
			o.add(&slot{Param: p, rule: g.Rule})
		}
	}
	return o, nil
}

func (o *Optimizer) add(s *slot) {
	o.slots = append(o.slots, s)
	o.named[s.Name] = s
}

// Params are the parameters of all groups in the order given.
func (o *Optimizer) Params() iter.Seq[Param] {
	return func(yield func(Param) bool) {
		for _, s := range o.slots {
			if !yield(s.Param) {
				return
			}
		}
	}
}

// Norm is the global norm of the gradients by the optimizer's parameters.
func (o *Optimizer) Norm(grads tensor.Grads) float64 {
	return Norm(func(yield func(*tensor.Tensor) bool) {
		for _, s := range o.slots {
			if g := grads.Of(s.Value); g != nil && !yield(g) {
				return
			}
		}
	})
}

// Step updates every parameter that has a gradient, with its rule's learning rate times factor, and returns the gradients' norm before clipping.
// If that is not finite, nothing is updated and the error is [ErrNotFinite].
func (o *Optimizer) Step(grads tensor.Grads, factor float64) (norm float64, err error) {
	norm = o.Norm(grads)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm, ErrNotFinite
	}
	scale := Clip(norm, o.MaxNorm)
	for _, s := range o.slots {
		if g := grads.Of(s.Value); g != nil {
			s.update(g, factor, scale)
		}
	}
	return norm, nil
}

func (s *slot) update(grad *tensor.Tensor, factor, scale float64) {
	s.begin()
	s.steps++
	s.rule.Update(s.Value, grad, s.moments, Stroke{Step: s.steps, Factor: factor, Scale: scale})
}

// begin makes the moments, once.
func (s *slot) begin() {
	if s.moments != nil {
		return
	}
	for range s.rule.Moments() {
		s.moments = append(s.moments, s.Value.Device().Constant(nil, s.Value.Shape()...))
	}
}
