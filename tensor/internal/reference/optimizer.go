package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// AdamW makes, number by number, with G = GradScale·g and t = Step,
// m = β₁·m + (1−β₁)·G, v = β₂·v + (1−β₂)·G², and p = (1 − LR·Decay)·p − LR·(m/(1−β₁ᵗ))/(√(v/(1−β₂ᵗ)) + Eps).
func (*Backend) AdamW(p, g, m, v backend.Mat, s backend.AdamW) {
	t := float64(s.Step)
	each(p, func(i, j int) {
		grad := s.GradScale * *at(g, i, j)
		put(m, i, j, (1-s.Beta1)*grad, s.Beta1)
		put(v, i, j, (1-s.Beta2)*grad*grad, s.Beta2)
		first := *at(m, i, j) / (1 - math.Pow(s.Beta1, t))
		second := *at(v, i, j) / (1 - math.Pow(s.Beta2, t))
		put(p, i, j, -s.LR*first/(math.Sqrt(second)+s.Eps), 1-s.LR*s.Decay)
	})
}
