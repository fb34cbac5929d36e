package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// combine is op(x, y); the maximum of NaN and anything is NaN.
func combine(op backend.Binary, x, y float64) float64 {
	switch op {
	case backend.Add:
		return x + y
	case backend.Sub:
		return x - y
	case backend.Mul:
		return x * y
	case backend.Div:
		return x / y
	case backend.Max:
		return max(x, y)
	}
	panic("reference: unknown function of two numbers")
}

// evaluate is f(x).
func evaluate(f backend.Unary, x float64) float64 {
	switch f {
	case backend.Identity:
		return x
	case backend.ReLU:
		return math.Max(0, x)
	case backend.GELU:
		return x * normal(x)
	case backend.GELUTanh:
		return x * sigmoid(2*tanhArgument(x)) // (1+tanh u)/2 = σ(2u)
	case backend.QuickGELU:
		return x * sigmoid(1.702*x)
	case backend.SiLU:
		return x * sigmoid(x)
	case backend.Tanh:
		return math.Tanh(x)
	case backend.Sigmoid:
		return sigmoid(x)
	case backend.LeakyReLU:
		return math.Max(x, 0.01*x)
	case backend.Exp:
		return math.Exp(x)
	case backend.Log:
		return math.Log(x)
	case backend.Sqrt:
		return math.Sqrt(x)
	case backend.Square:
		return x * x
	case backend.Reciprocal:
		return 1 / x
	case backend.Abs:
		return math.Abs(x)
	case backend.Sin:
		return math.Sin(x)
	case backend.Cos:
		return math.Cos(x)
	case backend.Mish:
		return x * math.Tanh(softplus(x))
	case backend.Laplace:
		return normal((x - backend.LaplaceMean) / backend.LaplaceDeviation)
	case backend.ReLU6:
		return math.Min(6, math.Max(0, x))
	case backend.SquaredReLU:
		return math.Max(0, x) * math.Max(0, x)
	case backend.ClippedGELU:
		return math.Min(10, x*normal(x))
	case backend.Softplus:
		return softplus(x)
	}
	panic("reference: unknown function")
}

// slopeFromOutput is f'(x) as a function of y = f(x). At their kinks ReLU and ReLU6 have slope 0 and LeakyReLU 0.01.
func slopeFromOutput(f backend.Unary, y float64) float64 {
	switch f {
	case backend.Identity:
		return 1
	case backend.ReLU:
		return step(y, 0)
	case backend.ReLU6:
		return step(y, 0) * step(6-y, 0)
	case backend.Tanh:
		return 1 - y*y
	case backend.Sigmoid:
		return y * (1 - y)
	case backend.LeakyReLU:
		return step(y, 0.01)
	case backend.Exp:
		return y
	case backend.Sqrt:
		return 1 / (2 * y)
	case backend.Reciprocal:
		return -y * y
	}
	panic("reference: unknown function")
}

// slopeFromInput is f'(x). Abs has slope 0 at 0.
func slopeFromInput(f backend.Unary, x float64) float64 {
	switch f {
	case backend.GELU:
		return normal(x) + x*density(x)
	case backend.GELUTanh:
		return swishSlope(x, 2*tanhArgument(x), 2*math.Sqrt(2/math.Pi)*(1+3*0.044715*x*x))
	case backend.QuickGELU:
		return swishSlope(x, 1.702*x, 1.702)
	case backend.SiLU:
		return swishSlope(x, x, 1)
	case backend.Log:
		return 1 / x
	case backend.Square:
		return 2 * x
	case backend.Abs:
		return step(x, 0) - step(-x, 0)
	case backend.Sin:
		return math.Cos(x)
	case backend.Cos:
		return -math.Sin(x)
	case backend.Mish:
		t := math.Tanh(softplus(x))
		return t + x*(1-t*t)*sigmoid(x)
	case backend.Laplace:
		return density((x-backend.LaplaceMean)/backend.LaplaceDeviation) / backend.LaplaceDeviation
	case backend.SquaredReLU:
		return 2 * math.Max(0, x)
	case backend.ClippedGELU:
		return (normal(x) + x*density(x)) * step(10-x*normal(x), 0)
	case backend.Softplus:
		return sigmoid(x)
	}
	panic("reference: unknown function")
}

// normal is Φ(x), the normal distribution function.
func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// density is φ(x), the derivative of Φ.
func density(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }

// softplus is log(1+exp(x)).
func softplus(x float64) float64 { return math.Max(0, x) + math.Log1p(math.Exp(-math.Abs(x))) }

// sigmoid is σ(x) = 1/(1+exp(−x)).
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// tanhArgument is √(2/π)·(x+0.044715x³).
func tanhArgument(x float64) float64 { return math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x) }

// swishSlope is the derivative of x·σ(u(x)), given u and u'.
func swishSlope(x, u, du float64) float64 {
	s := sigmoid(u)
	return s + x*s*(1-s)*du
}

// step is 1 above zero, else below; a NaN stays one.
func step(x, below float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 0:
		return 1
	}
	return below
}
