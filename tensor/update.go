package tensor

import "peft/tensor/internal/backend"

// AdamW is the numbers of one AdamW step: LR, Beta1, Beta2, Eps, Decay, the factor GradScale on the gradient, and Step, which counts from 1.
type AdamW = backend.AdamW

// AdamW does one step of AdamW on t in place, given its gradient and its moments m and v, which move too.
func (t *Tensor) AdamW(grad, m, v *Tensor, s AdamW) {
	sameDense("AdamW", t, grad, m, v)
	t.Device().AdamW(t.mat(), grad.mat(), m.mat(), v.mat(), s)
}

// Blend makes t = b·t + a·x in place. With b = 0 what t held before is not read.
func (t *Tensor) Blend(b, a float64, x *Tensor) {
	sameDense("Blend", t, x)
	t.Device().Axpby(t.mat(), a, x.mat(), b)
}

// SumSquares is the sum of the squares of all numbers, in float64.
func (t *Tensor) SumSquares() float64 { return t.Device().SumSquares(t.mat()) }

// Finite reports whether no number is infinite or NaN.
func (t *Tensor) Finite() bool { return t.Device().Finite(t.mat()) }

// sameDense panics unless all tensors have the shape of the first and fill memory row after row.
func sameDense(op string, ts ...*Tensor) {
	for _, x := range ts {
		if !sameShape(x.shape, ts[0].shape) {
			misfit(op, "one shape", ts...)
		}
		if !x.dense() {
			misfit(op, "whole tensors, no windows", ts...)
		}
	}
}
