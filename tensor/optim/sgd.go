package optim

import (
	"math"

	"peft/tensor"
)

// SGD is gradient descent with momentum and weight decay as PyTorch computes it: with gradient g,
//
//	g ← g + Decay·p
//	m ← Momentum·m + g
//	p ← p − LR·m,  or p − LR·(g + Momentum·m) with Nesterov
type SGD struct {
	LR       float64 // learning rate
	Momentum float64 // share of the last direction that is kept
	Decay    float64 // weight decay, added to the gradient
	Nesterov bool    // look ahead along the momentum
}

// Moments is the direction, where there is momentum.
func (s SGD) Moments() []string {
	if s.Momentum == 0 {
		return nil
	}
	return []string{"m"}
}

// Rate is LR.
func (s SGD) Rate() float64 { return s.LR }

// Check wants no number to be negative or infinite.
func (s SGD) Check() error {
	return check(
		bound{"SGD.LR", s.LR, 0, math.MaxFloat64, false},
		bound{"SGD.Momentum", s.Momentum, 0, math.MaxFloat64, false},
		bound{"SGD.Decay", s.Decay, 0, math.MaxFloat64, false},
	)
}

// Update does one step.
func (s SGD) Update(param, grad *tensor.Tensor, moments []*tensor.Tensor, at Stroke) {
	lr := s.LR * at.Factor
	if s.Momentum == 0 {
		param.Blend(1-lr*s.Decay, -lr*at.Scale, grad)
		return
	}
	m := moments[0]
	m.Blend(s.Momentum, at.Scale, grad)
	m.Blend(1, s.Decay, param)
	if !s.Nesterov {
		param.Blend(1, -lr, m)
		return
	}
	param.Blend(1-lr*s.Decay, -lr*at.Scale, grad)
	param.Blend(1, -lr*s.Momentum, m)
}
