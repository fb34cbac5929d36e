package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

// adamW is the factors of one step: p = keep·p − rate·m/(√(v·second) + eps), rate being LR/(1−β₁ᵗ) and second 1/(1−β₂ᵗ).
type adamW struct {
	gradScale, beta1, rest1, beta2, rest2, keep, rate, second, eps float32
}

// AdamW does one step.
func (b *Backend) AdamW(p, g, m, v backend.Mat, s backend.AdamW) {
	t := float64(s.Step)
	c := adamW{
		gradScale: float32(s.GradScale),
		beta1:     float32(s.Beta1), rest1: float32(1 - s.Beta1),
		beta2: float32(s.Beta2), rest2: float32(1 - s.Beta2),
		keep: float32(1 - s.LR*s.Decay), rate: float32(s.LR / (1 - math.Pow(s.Beta1, t))),
		second: float32(1 / (1 - math.Pow(s.Beta2, t))), eps: float32(s.Eps),
	}
	n := p.Rows * p.Cols
	if n == 0 {
		return
	}
	run(b, blocks(n, 8*stride), update{k: b.kernels, p: see(p).data[:n], g: see(g).data[:n], m: see(m).data[:n], v: see(v).data[:n], c: c})
}

// An update is a step of AdamW.
type update struct {
	k          *kernels
	p, g, m, v []float32
	c          adamW
}

// chunk updates a stretch of numbers.
func (u *update) chunk(_ *worker, i int) {
	lo, hi := i*8*stride, min((i+1)*8*stride, len(u.p))
	u.k.adamW(u.p[lo:hi], u.g[lo:hi], u.m[lo:hi], u.v[lo:hi], &u.c)
}

// adamWGeneric updates p, m and v by g.
func adamWGeneric(p, g, m, v []float32, c *adamW) {
	for i, d := range g {
		d *= c.gradScale
		m[i] = c.beta1*m[i] + c.rest1*d
		v[i] = c.beta2*v[i] + c.rest2*(d*d)
		p[i] = c.keep*p[i] - c.rate*m[i]/(float32(math.Sqrt(float64(v[i]*c.second)))+c.eps)
	}
}
