package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// CrossEntropy makes lse[i] = log Σ_j exp(logits[i][j]) and loss[i] = lse[i] − logits[i][label[i]]; for a negative label both are 0.
func (*Backend) CrossEntropy(loss, lse, logits backend.Mat, label []int32) {
	for i, y := range label {
		*at(lse, i, 0), *at(loss, i, 0) = 0, 0
		if y >= 0 {
			total := logSumExp(row(logits, i))
			*at(lse, i, 0), *at(loss, i, 0) = total, total-*at(logits, i, int(y))
		}
	}
}

// CrossEntropyGrad makes dlogits[i][j] = dloss[i]·(exp(logits[i][j]−lse[i]) − [j = label[i]]) + beta·dlogits[i][j]; for a negative label the first term is 0.
func (*Backend) CrossEntropyGrad(dlogits, logits, lse, dloss backend.Mat, label []int32, beta float64) {
	each(dlogits, func(i, j int) {
		d := 0.0
		if label[i] >= 0 {
			d = *at(dloss, i, 0) * (math.Exp(*at(logits, i, j)-*at(lse, i, 0)) - oneIf(int(label[i]) == j))
		}
		put(dlogits, i, j, d, beta)
	})
}

// oneIf is 1 if the condition holds, else 0.
func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
