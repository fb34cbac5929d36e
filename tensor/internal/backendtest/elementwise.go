package backendtest

import (
	"math"

	"peft/tensor/internal/backend"
)

func elementwiseCases() []testCase {
	return []testCase{
		{"Fill", 12, fill},
		{"Axpby", 60, axpby},
		{"Binary", 80, combine},
		{"BinarySpecial", 20, binarySpecial},
		{"Unary", 120, unary},
		{"UnarySpecial", 60, unarySpecial},
		{"UnaryGrad", 160, unaryGrad},
		{"Dropout", 30, dropout},
		{"DropoutLong", 2, dropoutLong},
	}
}

func fill(t *trial) {
	dst, v := t.out(t.sizeOrNone(), t.sizeOrNone(), 0), float64(t.normal())
	t.do(func(s *side) { s.Fill(s.of(dst), v) })
	t.relative(dst, 0)
}

// axpby: a and b may be rounded, and two products and a sum are.
func axpby(t *trial) {
	rows, cols, a, b := t.sizeOrNone(), t.sizeOrNone(), pick(t, 1, -1, 0.3), pick(t, 0, 1, -0.7)
	dst, x := t.perhapsSame(t.out(rows, cols, b), t.in(rows, cols))
	t.do(func(s *side) { s.Axpby(s.of(dst), s.factor(a), s.of(x), s.factor(b)) })
	t.summed(dst, 4)
}

// combine: the operation and the sum are rounded.
func combine(t *trial) {
	rows, cols, beta, op := t.sizeOrNone(), t.sizeOrNone(), t.beta(), t.operation()
	x, y := t.in(rows, cols), t.in(rows, cols)
	dst, x := t.perhapsSame(t.out(rows, cols, beta), x)
	dst, y = t.perhapsSame(dst, y)
	t.do(func(s *side) { s.Binary(op, s.of(dst), s.of(x), s.of(y), beta) })
	t.within(dst, func(i, j int, want float64) float64 {
		if beta == 0 {
			return 2 * u * math.Abs(want)
		}
		return u * (3*math.Abs(want) + 3*math.Abs(dst.at(i, j)))
	})
}

// binarySpecial: zeros, infinities and NaN give what IEEE 754 says; a maximum with NaN is NaN.
func binarySpecial(t *trial) {
	rows, cols, op := t.size(), t.size(), t.operation()
	dst, x, y := t.out(rows, cols, 0), t.in(rows, cols), t.in(rows, cols)
	t.special(x, 0, 1e30, -1e30, math.Inf(1), math.Inf(-1), math.NaN())
	t.special(y, 0, 1e30, math.Inf(1), math.Inf(-1), math.NaN())
	t.do(func(s *side) { s.Binary(op, s.of(dst), s.of(x), s.of(y), 0) })
	t.relative(dst, 2)
}

func (t *trial) operation() backend.Binary {
	return pick(t, backend.Add, backend.Sub, backend.Mul, backend.Div, backend.Max)
}

// dropout: 1/(1−p) may be rounded, and a product and a sum are. What is dropped is exactly zero.
func dropout(t *trial) {
	rows, cols, p, key, beta := t.sizeOrNone(), t.sizeOrNone(), pick(t, 0, 0.1, 0.5, 0.9), t.key(), t.beta()
	dst, x := t.perhapsSame(t.out(rows, cols, beta), t.in(rows, cols))
	t.do(func(s *side) { s.Dropout(s.of(dst), s.of(x), p, key, beta) })
	t.summed(dst, 5)
}

// dropoutLong goes beyond the elements that share the first seed of a stream.
func dropoutLong(t *trial) {
	cols, key := 1<<20+37, t.key()
	dst, x := t.contiguous(1, cols, true), t.contiguous(1, cols, false)
	t.do(func(s *side) { s.Dropout(s.of(dst), s.of(x), 0.5, key, 0) })
	t.relative(dst, 3)
}
