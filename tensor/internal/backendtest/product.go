package backendtest

import (
	"math"

	"peft/tensor/internal/backend"
)

func productCases() []testCase {
	return []testCase{
		{"MatMul", 80, matMul},
		{"MatMulDeep", 3, matMulDeep},
		{"MulT", 80, func(t *trial) { t.mulT(t.sizeOrNone(), t.size(), t.size()) }},
		{"MulTNarrow", 60, func(t *trial) { t.mulT(t.size(), pick(t, 1, t.size()), 1) }},
		{"Mul", 60, func(t *trial) { t.mul(t.sizeOrNone(), t.size(), t.size()) }},
		{"MulNarrow", 60, func(t *trial) { t.mul(t.size(), 1, pick(t, 1, t.size())) }},
		{"WeightAgain", 30, weightAgain},
		{"Gather", 20, gather},
		{"Dequantize", 20, dequantize},
		{"DequantizeHalf", 3, dequantizeHalf},
	}
}

// roundings is how many there are in a product besides those of the sum: of the operands as stored, of a scale, of factors, and of what is added.
const roundings = 8

func matMul(t *trial) { t.matMul(t.sizeOrNone(), t.sizeOrNone(), t.sizeOrNone()) }

// matMulDeep goes beyond the blocks of a product in one direction.
func matMulDeep(t *trial) {
	sizes := [3]int{7, 29, 1100}
	t.rng.Shuffle(3, func(i, j int) { sizes[i], sizes[j] = sizes[j], sizes[i] })
	t.matMul(sizes[0], sizes[1], sizes[2])
}

// matMul checks a product of [m×k] and [k×n].
func (t *trial) matMul(m, k, n int) {
	alpha, beta := pick(t, 1, -0.7), pick(t, 0, 1, -0.3)
	dst, a, b := t.out(m, n, beta), t.in(m, k), t.in(k, n)
	t.do(func(s *side) { s.MatMul(s.of(dst), s.of(a), s.of(b), s.factor(alpha), s.factor(beta)) })
	t.summed(dst, k+roundings)
}

// activations are functions whose slope is 1.2 at most, so that an error of their argument grows no more.
func (t *trial) activation() backend.Unary {
	return pick(t, backend.Identity, backend.Identity, backend.ReLU, backend.GELU, backend.GELUTanh, backend.QuickGELU, backend.SiLU, backend.Tanh,
		backend.Sigmoid, backend.LeakyReLU, backend.Mish, backend.Softplus, backend.Sin, backend.Cos, backend.Abs)
}

// An epilogue is what follows a product, by its operands.
type epilogue struct {
	u, v, bias, pre *operand
	f               backend.Unary
}

// epilogue is some of what may follow a product with a result [rows×cols].
func (t *trial) epilogue(rows, cols int) (e epilogue, rank int) {
	if t.chance(2) {
		rank = t.rank()
		e.u, e.v = t.in(rows, rank), t.in(cols, rank)
	}
	if t.chance(2) {
		e.bias = t.in(1, cols)
	}
	if t.chance(2) {
		e.pre = t.out(rows, cols, 0)
	}
	e.f = t.activation()
	return e, rank
}

func (t *trial) rank() int { return pick(t, 1, 2, 3, 4, 8, 16, 33) }

// on is the epilogue on a side. Where magnitudes are computed it has no function: the value before it is what counts.
func (e epilogue) on(s *side) backend.Epilogue {
	b := backend.Epilogue{Low: s.lowRank(e.u, e.v), Bias: s.maybe(e.bias), Pre: s.maybe(e.pre), Func: e.f}
	if s.magnitude {
		b.Func = backend.Identity
	}
	return b
}

// lowRank is a product of low rank, nil for nil.
func (s *side) lowRank(u, v *operand) *backend.LowRank {
	if u == nil {
		return nil
	}
	return &backend.LowRank{U: s.of(u), V: s.of(v)}
}

// mulT: the error of the sum, times the function's slope, and the function's own.
func (t *trial) mulT(n, out, in int) {
	w, x, dst := t.frozen(out, in), t.in(n, in), t.out(n, out, 0)
	e, rank := t.epilogue(n, out)
	more, longest := t.amendment(out, in)
	t.do(func(s *side) { s.MulT(s.of(dst), s.of(x), more.on(s, w.on(s)), e.on(s)) })
	terms := float64(in + rank + longest + roundings)
	size := t.magnitude(dst)
	t.within(dst, func(i, j int, want float64) float64 {
		return 1.2*terms*u*size(i, j) + u*unaryError(e.f, size(i, j), math.Abs(want)) + tiny*size(i, j)
	})
	if e.pre != nil {
		t.summed(e.pre, in+rank+longest+roundings)
	}
}

func (t *trial) mul(n, out, in int) {
	beta := t.beta()
	w, dy, dst := t.frozen(out, in), t.in(n, out), t.out(n, in, beta)
	var a, b *operand
	rank := 0
	if t.chance(2) {
		rank = t.rank()
		a, b = t.in(n, rank), t.in(rank, in)
	}
	more, longest := t.amendment(out, in)
	t.do(func(s *side) { s.Mul(s.of(dst), s.of(dy), more.on(s, w.on(s)), s.lowRank(a, b), beta) })
	t.summed(dst, out+rank+longest+roundings)
}

// weightAgain uses one weight in all ways, so that what a backend keeps of it serves the next product, of another number of rows.
func weightAgain(t *trial) {
	n, m, out, in := t.size(), t.size(), t.size(), t.size()
	w, x, z, dy := t.frozen(out, in), t.in(n, in), t.in(m, in), t.in(n, out)
	first, second, dx, row := t.out(n, out, 0), t.out(m, out, 0), t.out(n, in, 0), t.out(1, in, 0)
	more, longest := t.amendment(out, in)
	t.do(func(s *side) {
		p := w.on(s)
		amended := more.on(s, p)
		s.MulT(s.of(first), s.of(x), p, backend.Epilogue{})
		s.Mul(s.of(dx), s.of(dy), amended, nil, 0)
		s.MulT(s.of(second), s.of(z), amended, backend.Epilogue{})
		s.Gather(s.of(row), p, []int32{0})
	})
	t.summed(first, in+roundings)
	t.summed(second, in+longest+roundings)
	t.summed(dx, out+longest+roundings)
	t.relative(row, 1)
}

// gather: at most a product with a scale, and a number of 64 bits, are rounded.
func gather(t *trial) {
	w, ids := t.frozen(t.size(), t.size()), make([]int32, t.sizeOrNone())
	for i := range ids {
		ids[i] = int32(t.rng.IntN(w.Rows))
	}
	dst := t.out(len(ids), w.Cols, 0)
	t.do(func(s *side) { s.Gather(s.of(dst), w.on(s), ids) })
	t.relative(dst, 1)
}

func dequantize(t *trial) {
	w := t.frozen(t.size(), t.size())
	dst := t.out(w.Rows, w.Cols, 0)
	t.do(func(s *side) { s.Dequantize(s.of(dst), w.on(s)) })
	t.relative(dst, 1)
}

// dequantizeHalf takes every number that 16 bits make: all are numbers of float32.
func dequantizeHalf(t *trial) {
	w := frozen{backend.Storage{Type: pick(t, backend.BF16, backend.F16), Rows: 1 << 8, Cols: 1 << 8}}
	for bits := range 1 << 16 {
		w.Data = append(w.Data, byte(bits), byte(bits>>8))
	}
	dst := t.out(w.Rows, w.Cols, 0)
	t.do(func(s *side) { s.Dequantize(s.of(dst), w.on(s)) })
	t.relative(dst, 0)
}
