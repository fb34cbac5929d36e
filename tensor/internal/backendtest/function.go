package backendtest

import (
	"math"

	"peft/tensor/internal/backend"
)

// function is any function of one number.
func (t *trial) function() backend.Unary {
	all := make([]backend.Unary, backend.Softplus+1)
	for f := range all {
		all[f] = backend.Unary(f)
	}
	return pick(t, all...)
}

func unary(t *trial) {
	t.unary(t.function(), func(x *operand) {
		x.each(func(i, j int) { x.set(i, j, 4*float64(t.normal())) })
	})
}

func unarySpecial(t *trial) {
	t.unary(t.function(), func(x *operand) {
		t.special(x, 0, 1e-30, -1e-30, 1, -1, 20, -20, 88, -88, 104, -104, 1e4, -1e4, 1e30, -1e30, math.Inf(1), math.Inf(-1), math.NaN())
	})
}

// unary checks function f of numbers chosen by prepare.
func (t *trial) unary(f backend.Unary, prepare func(x *operand)) {
	rows, cols := t.sizeOrNone(), t.sizeOrNone()
	dst, x := t.perhapsSame(t.out(rows, cols, 0), t.in(rows, cols))
	prepare(x)
	t.do(func(s *side) { s.Unary(f, s.of(dst), s.of(x)) })
	t.within(dst, func(i, j int, want float64) float64 { return unaryBound(f, x.at(i, j), want) })
}

// unaryBound is how far a function of x whose value is y may be off.
func unaryBound(f backend.Unary, x, y float64) float64 {
	if math.IsNaN(y) && math.IsInf(x, 0) {
		return math.Inf(1) // 0·∞ in the formula: its limit is welcome too
	}
	return u*unaryError(f, math.Abs(x), math.Abs(y)) + tiny*math.Abs(x) // a factor of x may have underflowed
}

// unaryError is that in units of round-off, for |x| and |y|.
func unaryError(f backend.Unary, x, y float64) float64 {
	switch f {
	case backend.Identity, backend.ReLU, backend.Abs:
		return 0
	case backend.LeakyReLU, backend.Square, backend.Sqrt, backend.Reciprocal: // one or two roundings
		return 2 * y
	case backend.Exp, backend.Log, backend.Tanh: // good to a few units in the last place everywhere
		return 4 * y
	case backend.Sigmoid, backend.SiLU: // 1/(1+exp(−x)): an exponential, a sum, a quotient, a product
		return 8 * y
	case backend.QuickGELU: // as SiLU, and rounding 1.702x moves the exponential by u·1.702|x| of its size
		return (8 + 2*1.702*x) * y
	case backend.ReLU6:
		return 0
	case backend.SquaredReLU, backend.Mish:
		return 4 * y
	case backend.Laplace: // the argument's rounding moves Φ by less than one
		return 8 * (1 + y)
	case backend.GELU, backend.GELUTanh, backend.ClippedGELU: // 1 + erf and 1 + tanh may cancel: errors are relative to 1, times x
		return 8 * x
	case backend.Softplus: // log(1 + ...) may round 1 + ...
		return 4 * (1 + y)
	case backend.Sin, backend.Cos: // relative to 1; far out the period's multiple is not promised
		if x > 1e4 {
			return math.Inf(1)
		}
		return 4
	}
	panic("backendtest: unknown function")
}

// unaryGrad passes NaN where the function's output or its input is not to be read.
func unaryGrad(t *trial) {
	rows, cols, f, beta := t.sizeOrNone(), t.sizeOrNone(), t.function(), t.beta()
	x, y := t.made(rows, cols), t.made(rows, cols)
	dx, dy := t.perhapsSame(t.out(rows, cols, beta), t.in(rows, cols))
	if f == backend.Log || f == backend.Sqrt || f == backend.Reciprocal {
		x.each(func(i, j int) { x.set(i, j, 0.01+math.Abs(x.at(i, j))) })
	} else if t.chance(2) {
		t.special(x, 0, 1, -1, 10, -10, 30, -30, 80, -80, 1e4, -1e4)
	}
	t.derive(func(s *side) { s.Unary(f, s.of(y), s.of(x)) }, y)
	slope := slopeError(f, x, y)
	unread := x
	if !f.FromOutput() {
		unread = y
	}
	unread.each(func(i, j int) { unread.set(i, j, math.NaN()) })
	t.do(func(s *side) { s.UnaryGrad(f, s.of(dx), s.of(x), s.of(y), s.of(dy), beta) })
	t.within(dx, func(i, j int, want float64) float64 {
		return u*(slope(i, j)*math.Abs(dy.at(i, j))+2*math.Abs(want)+t.before(dx, i, j, beta)) + tiny*math.Abs(dy.at(i, j))
	})
}

// before is |beta·dst| at (i, j) before the call.
func (t *trial) before(dst *operand, i, j int, beta float64) float64 {
	if beta == 0 {
		return 0
	}
	return math.Abs(beta * dst.at(i, j))
}

// slopeError is how far the derivative at (i, j) may be off, in units of round-off.
func slopeError(f backend.Unary, x, y *operand) func(i, j int) float64 {
	of := func(o *operand, g func(v float64) float64) func(i, j int) float64 {
		a := append([]float32(nil), o.data...)
		return func(i, j int) float64 { return g(math.Abs(float64(a[o.place(i, j)]))) }
	}
	switch f {
	case backend.Identity, backend.ReLU, backend.ReLU6, backend.Abs:
		return func(_, _ int) float64 { return 0 }
	case backend.LeakyReLU, backend.Tanh: // 1 − y², each term at most 1
		return func(_, _ int) float64 { return 2 }
	case backend.Exp, backend.Sigmoid: // y, y(1−y)
		return of(y, func(y float64) float64 { return 3 * y })
	case backend.Sqrt:
		return of(y, func(y float64) float64 { return 2 / y })
	case backend.Reciprocal:
		return of(y, func(y float64) float64 { return 2 * y * y })
	case backend.Log:
		return of(x, func(x float64) float64 { return 2 / x })
	case backend.Square, backend.SquaredReLU:
		return of(x, func(x float64) float64 { return 2 * x })
	}
	return func(_, _ int) float64 { return 16 } // sums of terms of size 1 or so: gates, Φ(x)+xφ(x), sine and cosine
}
