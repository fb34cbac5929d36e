package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

// each makes a kernel of a function of one number.
func each(f func(float32) float32) func(dst, x []float32) {
	return func(dst, x []float32) {
		for i, v := range x {
			dst[i] = f(v)
		}
	}
}

// slope makes a kernel dx = dy·f' of the derivative f'.
func slope(f func(float32) float32) func(dx, x, dy []float32) {
	return func(dx, x, dy []float32) {
		for i, v := range x {
			dx[i] = dy[i] * f(v)
		}
	}
}

// wide computes a function in float64.
func wide(f func(float64) float64) func(float32) float32 {
	return func(x float32) float32 { return float32(f(float64(x))) }
}

var unaryGeneric = [backend.Softplus + 1]func(dst, x []float32){
	backend.Identity:    func(dst, x []float32) { copy(dst, x) },
	backend.ReLU:        each(func(x float32) float32 { return max(x, 0) }),
	backend.GELU:        each(func(x float32) float32 { return x * normal(x) }),
	backend.GELUTanh:    each(func(x float32) float32 { return x * sigmoid(2*tanhArgument(x)) }),
	backend.QuickGELU:   each(func(x float32) float32 { return x * sigmoid(1.702*x) }),
	backend.SiLU:        each(func(x float32) float32 { return x * sigmoid(x) }),
	backend.Tanh:        each(wide(math.Tanh)),
	backend.Sigmoid:     each(sigmoid),
	backend.LeakyReLU:   each(func(x float32) float32 { return max(x, 0.01*x) }),
	backend.Exp:         each(exp32),
	backend.Log:         each(wide(math.Log)),
	backend.Sqrt:        each(wide(math.Sqrt)),
	backend.Square:      each(func(x float32) float32 { return x * x }),
	backend.Reciprocal:  each(func(x float32) float32 { return 1 / x }),
	backend.Abs:         each(wide(math.Abs)),
	backend.Sin:         each(wide(math.Sin)),
	backend.Cos:         each(wide(math.Cos)),
	backend.Mish:        each(wide(func(x float64) float64 { return x * math.Tanh(softplus(x)) })),
	backend.Laplace:     each(func(x float32) float32 { return normal(deviations(x)) }),
	backend.ReLU6:       each(func(x float32) float32 { return min(max(x, 0), 6) }),
	backend.SquaredReLU: each(func(x float32) float32 { return max(x, 0) * max(x, 0) }),
	backend.ClippedGELU: each(func(x float32) float32 { return min(x*normal(x), 10) }),
	backend.Softplus:    each(wide(softplus)),
}

var slopeGeneric = [backend.Softplus + 1]func(dx, x, dy []float32){
	backend.Identity:   func(dx, _, dy []float32) { copy(dx, dy) },
	backend.ReLU:       slope(func(y float32) float32 { return step(y, 0) }),
	backend.GELU:       slope(func(x float32) float32 { return normal(x) + x*density(x) }),
	backend.GELUTanh:   slope(func(x float32) float32 { return swishSlope(x, 2*tanhArgument(x), 2*rootTwoOverPi*(1+3*0.044715*x*x)) }),
	backend.QuickGELU:  slope(func(x float32) float32 { return swishSlope(x, 1.702*x, 1.702) }),
	backend.SiLU:       slope(func(x float32) float32 { return swishSlope(x, x, 1) }),
	backend.Tanh:       slope(func(y float32) float32 { return 1 - y*y }),
	backend.Sigmoid:    slope(func(y float32) float32 { return y * (1 - y) }),
	backend.LeakyReLU:  slope(func(y float32) float32 { return step(y, 0.01) }),
	backend.Exp:        slope(func(y float32) float32 { return y }),
	backend.Log:        slope(func(x float32) float32 { return 1 / x }),
	backend.Sqrt:       slope(func(y float32) float32 { return 0.5 / y }),
	backend.Square:     slope(func(x float32) float32 { return 2 * x }),
	backend.Reciprocal: slope(func(y float32) float32 { return -y * y }),
	backend.Abs:        slope(func(x float32) float32 { return step(x, 0) - step(-x, 0) }),
	backend.Sin:        slope(wide(math.Cos)),
	backend.Cos:        slope(wide(func(x float64) float64 { return -math.Sin(x) })),
	backend.Mish: slope(wide(func(x float64) float64 {
		t := math.Tanh(softplus(x))
		return t + x*(1-t*t)/(1+math.Exp(-x))
	})),
	backend.Laplace:     slope(func(x float32) float32 { return density(deviations(x)) / backend.LaplaceDeviation }),
	backend.ReLU6:       slope(func(y float32) float32 { return step(y, 0) * step(6-y, 0) }),
	backend.SquaredReLU: slope(func(x float32) float32 { return 2 * max(x, 0) }),
	backend.ClippedGELU: slope(func(x float32) float32 { return (normal(x) + x*density(x)) * step(10-x*normal(x), 0) }),
	backend.Softplus:    slope(sigmoid),
}

const rootTwoOverPi = 0.79788456080286535588

// normal is Φ(x), the normal distribution function.
func normal(x float32) float32 { return float32(math.Erfc(-float64(x)/math.Sqrt2) / 2) }

// density is φ(x), the derivative of Φ.
func density(x float32) float32 {
	return float32(math.Exp(-float64(x)*float64(x)/2) / math.Sqrt(2*math.Pi))
}

// softplus is log(1+exp(x)).
func softplus(x float64) float64 { return max(0, x) + math.Log1p(math.Exp(-math.Abs(x))) }

// deviations is the argument of Φ in Laplace.
func deviations(x float32) float32 {
	return (x - backend.LaplaceMean) / backend.LaplaceDeviation
}

// sigmoid is 1/(1+exp(−x)).
func sigmoid(x float32) float32 { return 1 / (1 + exp32(-x)) }

// tanhArgument is √(2/π)·(x+0.044715x³).
func tanhArgument(x float32) float32 { return rootTwoOverPi * (x + 0.044715*x*x*x) }

// swishSlope is the derivative of x·σ(u(x)), given u and u'.
func swishSlope(x, u, du float32) float32 {
	s, o := sigmoid(u), sigmoid(-u) // o = 1−s without cancellation
	if o == 0 || s == 0 {
		return s // x·o is 0 in the limit
	}
	return s + x*s*o*du
}

// step is 1 above zero, else below; a NaN stays one.
func step(x, below float32) float32 {
	switch {
	case x != x:
		return x
	case x > 0:
		return 1
	}
	return below
}

// exp32 is exp(x), off by less than 1.1 units in the last place: 2ⁿ·p(x − n·ln 2), p the polynomial of degree 6 that the vector kernels use. Below −87.3
// it goes to 0, by way of a clamp, and above 88.7 to +Inf.
func exp32(x float32) float32 {
	switch {
	case x != x:
		return x
	case x > 88.72283:
		return float32(math.Inf(1))
	case x < -87.33654:
		return 0
	}
	const log2e, ln2Hi, ln2Lo = 1.44269504088896341, 0.693359375, -2.12194440e-4
	n := float32(math.RoundToEven(float64(x * log2e)))
	r := x - n*ln2Hi
	r -= n * ln2Lo
	p := float32(1.9875691500e-4)
	p = p*r + 1.3981999507e-3
	p = p*r + 8.3334519073e-3
	p = p*r + 4.1665795894e-2
	p = p*r + 1.6666665459e-1
	p = p*r + 5.0000001201e-1
	p = p*(r*r) + r + 1
	half := int32(n) / 2 // 2ⁿ in two steps: n may be 128
	return p * math.Float32frombits(uint32(half+127)<<23) * math.Float32frombits(uint32(int32(n)-half+127)<<23)
}
