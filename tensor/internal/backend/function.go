package backend

// A Binary is an elementwise function of two numbers.
type Binary uint8

// The functions of two numbers.
const (
	Add Binary = iota
	Sub
	Mul
	Div
	Max
)

// A Unary is an elementwise function of one number. Identity is the zero value.
type Unary uint8

// The functions of one number.
const (
	Identity  Unary = iota
	ReLU            // max(0, x)
	GELU            // x·Φ(x), exact
	GELUTanh        // x/2·(1+tanh(√(2/π)(x+0.044715x³)))
	QuickGELU       // x·σ(1.702x)
	SiLU            // x·σ(x)
	Tanh
	Sigmoid
	LeakyReLU // x, or 0.01x below zero
	Exp
	Log
	Sqrt
	Square
	Reciprocal
	Abs
	Sin
	Cos
	Mish        // x·tanh(log(1+exp(x)))
	Laplace     // Φ((x−0.707107)/0.282095)
	ReLU6       // ReLU, at most 6
	SquaredReLU // max(0, x)²
	ClippedGELU // GELU, at most 10
	Softplus    // log(1+exp(x))
)

// The numbers of Laplace, as transformers has them (MEGA: Ma et al. 2022, arXiv:2209.10655).
const (
	LaplaceMean      = 0.707107
	LaplaceDeviation = 0.282095
)

var names = [...]string{"identity", "relu", "gelu", "gelu_tanh", "quick_gelu", "silu", "tanh", "sigmoid", "leaky_relu", "exp", "log", "sqrt", "square", "reciprocal", "abs", "sin", "cos", "mish", "laplace", "relu6", "squared_relu", "clipped_gelu", "softplus"}

func (f Unary) String() string { return names[f] }

// FromOutput reports whether the derivative of f is computed from its value y rather than from x.
func (f Unary) FromOutput() bool {
	switch f {
	case Identity, ReLU, ReLU6, Tanh, Sigmoid, LeakyReLU, Exp, Sqrt, Reciprocal:
		return true
	}
	return false
}
