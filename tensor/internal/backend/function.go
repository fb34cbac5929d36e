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
	Softplus // log(1+exp(x))
)

var names = [...]string{"identity", "relu", "gelu", "gelu_tanh", "quick_gelu", "silu", "tanh", "sigmoid", "leaky_relu", "exp", "log", "sqrt", "square", "reciprocal", "abs", "sin", "cos", "softplus"}

func (f Unary) String() string { return names[f] }

// FromOutput reports whether the derivative of f is computed from its value y rather than from x.
func (f Unary) FromOutput() bool {
	switch f {
	case Identity, ReLU, Tanh, Sigmoid, LeakyReLU, Exp, Sqrt, Reciprocal:
		return true
	}
	return false
}
