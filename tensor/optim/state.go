package optim

import (
	"fmt"
	"iter"

	"peft/tensor"
)

// Steps is how often each parameter was updated, by name; those never updated are left out.
func (o *Optimizer) Steps() map[string]int {
	steps := map[string]int{}
	for _, s := range o.slots {
		if s.steps > 0 {
			steps[s.Name] = s.steps
		}
	}
	return steps
}

// Moments are the live moments of all parameters that were updated, named NAME/m and so on after parameter and rule. They may be read, and assigned
// after [Optimizer.Resume].
func (o *Optimizer) Moments() iter.Seq2[string, *tensor.Tensor] {
	return func(yield func(string, *tensor.Tensor) bool) {
		for _, s := range o.slots {
			names := s.rule.Moments()
			for i, m := range s.moments {
				if !yield(s.Name+"/"+names[i], m) {
					return
				}
			}
		}
	}
}

// Resume sets the step counts to those of [Optimizer.Steps] and all moments to zero, ready to be assigned. It fails, and changes nothing, if a
// name is unknown or a count is not positive.
func (o *Optimizer) Resume(steps map[string]int) error {
	for name, n := range steps {
		if o.named[name] == nil {
			return fmt.Errorf("optim: no parameter is called %q", name)
		}
		if n <= 0 {
			return fmt.Errorf("optim: parameter %q has a step count of %d", name, n)
		}
	}
	for _, s := range o.slots {
		s.steps, s.moments = steps[s.Name], nil
		if s.steps > 0 {
			s.begin()
		}
	}
	return nil
}
