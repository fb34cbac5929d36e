package optim

import (
	"math"

	"peft/tensor"
)

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter, 2019, arXiv:1711.05101) as PyTorch computes it: with gradient g and step t,
//
//	p ← p − LR·Decay·p
//	m ← β₁·m + (1−β₁)·g,  v ← β₂·v + (1−β₂)·g²
//	p ← p − LR·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + Eps)
//
// Decay 0 is none, unlike PyTorch's default of 0.01.
type AdamW struct {
	LR    float64 // learning rate
	Beta1 float64 // decay of the first moment, β₁; 0 means 0.9
	Beta2 float64 // decay of the second moment, β₂; 0 means 0.999
	Eps   float64 // added to the root of the second moment; 0 means 1e-8
	Decay float64 // weight decay
}

// Moments are the running means of the gradient and of its square.
func (AdamW) Moments() []string { return []string{"m", "v"} }

// Rate is LR.
func (a AdamW) Rate() float64 { return a.LR }

// Check wants LR, Eps and Decay to be finite and not negative, and the betas below 1.
func (a AdamW) Check() error {
	a = a.withDefaults()
	return check(
		bound{"AdamW.LR", a.LR, 0, math.MaxFloat64, false},
		bound{"AdamW.Beta1", a.Beta1, 0, 1, true},
		bound{"AdamW.Beta2", a.Beta2, 0, 1, true},
		bound{"AdamW.Eps", a.Eps, 0, math.MaxFloat64, false},
		bound{"AdamW.Decay", a.Decay, 0, math.MaxFloat64, false},
	)
}

// Update does one step.
func (a AdamW) Update(param, grad *tensor.Tensor, moments []*tensor.Tensor, at Stroke) {
	a = a.withDefaults()
	param.AdamW(grad, moments[0], moments[1], tensor.AdamW{
		LR: a.LR * at.Factor, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps, Decay: a.Decay,
		GradScale: at.Scale, Step: at.Step,
	})
}

func (a AdamW) withDefaults() AdamW {
	a.Beta1 = or(a.Beta1, 0.9)
	a.Beta2 = or(a.Beta2, 0.999)
	a.Eps = or(a.Eps, 1e-8)
	return a
}

// or is x, or the default where x is zero.
func or(x, otherwise float64) float64 {
	if x == 0 {
		return otherwise
	}
	return x
}
