package cpu

import "math"

// softmaxRowGeneric adds numbers to a softmax whose largest number so far is top and whose sum, of exp(x − top), is total. What was made before must be multiplied by
// factor. x becomes exp(x − newTop), with dropout if threshold is not 0.
func softmaxRowGeneric(x []float32, top, total float32, seed, at, threshold uint32, scale float32) (newTop, newTotal, factor float32) {
	newTop = max(top, maxGeneric(x))
	shift := max(newTop, -math.MaxFloat32) // nothing but −∞: all exponentials are 0
	factor = exp32(top - shift)
	newTotal = total*factor + weightsGeneric(x, shift)
	if threshold != 0 {
		dropoutGeneric(x, x, seed, at, threshold, scale)
	}
	return newTop, newTotal, factor
}

// gradRowGeneric makes, of a row p of scores and the gradient e by their weights w∘kept, e = w∘(kept∘e − mean) and p = w∘kept, with w = exp(p − lse) and kept = scale
// or 0 by dropout if threshold is not 0, else 1.
func gradRowGeneric(p, e []float32, lse, mean float32, seed, at, threshold uint32, scale float32) {
	weightsGeneric(p, lse)
	if threshold != 0 {
		dropoutGeneric(e, e, seed, at, threshold, scale)
	}
	slopeSoftmaxGeneric(e, p, e, mean)
	if threshold != 0 {
		dropoutGeneric(p, p, seed, at, threshold, scale)
	}
}

// weightsGeneric makes x = exp(x − shift), 0 where that is less than a rounding of the largest weight by far, and returns its sum.
func weightsGeneric(x []float32, shift float32) float32 {
	const low = -64
	var sum float64
	for i, v := range x {
		e := exp32(v - shift)
		if v-shift < low {
			e = 0
		}
		x[i] = e
		sum += float64(e)
	}
	return float32(sum)
}
