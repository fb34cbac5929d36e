package optim

import (
	"iter"
	"math"

	"peft/tensor"
)

// Norm is the length of all gradients taken as one vector, √Σg².
func Norm(grads iter.Seq[*tensor.Tensor]) float64 {
	sum := 0.0
	for g := range grads {
		sum += g.SumSquares()
	}
	return math.Sqrt(sum)
}

// Clip is the factor on gradients of the given norm that makes it at most limit, as PyTorch computes it: min(1, limit/(norm + 1e-6)). A limit of
// zero is none.
func Clip(norm, limit float64) float64 {
	if limit <= 0 {
		return 1
	}
	return min(1, limit/(norm+1e-6))
}
