package optim

import (
	"fmt"
	"math"

	"peft/tensor"
)

// A Rule is how a parameter follows from its gradient. A config literal such as [AdamW] or [SGD] is one.
type Rule interface {
	// Moments names the tensors that the rule keeps for each parameter, in its shape and zero at first.
	Moments() []string
	// Update moves a parameter, and its moments, in place. The gradient is not written, since others may share it.
	Update(param, grad *tensor.Tensor, moments []*tensor.Tensor, at Stroke)
	// Rate is the learning rate before any schedule.
	Rate() float64
	// Check returns an error that says which of the rule's numbers is out of range.
	Check() error
}

// A Stroke is what differs from one update of a parameter to the next.
type Stroke struct {
	Step   int     // how often the parameter has been updated, this time included
	Factor float64 // the schedule's factor on the learning rate
	Scale  float64 // the factor on the gradient that clipping asks for
}

// A bound is a number of a rule with the range that it must lie in.
type bound struct {
	name     string
	value    float64
	lo, hi   float64
	openHigh bool
}

func check(bounds ...bound) error {
	for _, b := range bounds {
		if b.value >= b.lo && (b.value < b.hi || b.value == b.hi && !b.openHigh) {
			continue
		}
		if b.hi == math.MaxFloat64 {
			return fmt.Errorf("optim: %s is %v, want a number of %v or more", b.name, b.value, b.lo)
		}
		return fmt.Errorf("optim: %s is %v, want %v to %v", b.name, b.value, b.lo, b.hi)
	}
	return nil
}
