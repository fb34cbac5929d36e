package main

import "math"

// reductions writes the kernels that make one number of many: each lane of a few vectors adds its own, and at the end these are added in a fixed order.
func reductions(m *machine) {
	m.sum()
	m.dot()
	m.deviation()
	m.top()
	m.sumSquares()
}

// sum writes Σ x.
func (m *machine) sum() {
	m.function("sum", "func(x []float32) float32", "is Σ x.")
	x, n, sums := m.base("x"), m.length("x"), m.zeros(4)
	m.sweep(n, 4, func(s *sweep, u int) { m.plus(sums[u], s.load(x, u)) })
	m.result(m.total(sums), "ret")
	m.end()
}

// dot writes Σ x·y.
func (m *machine) dot() {
	m.function("dot", "func(x, y []float32) float32", "is Σ x·y.")
	x, y, n, sums := m.base("x"), m.base("y"), m.length("x"), m.zeros(4)
	m.sweep(n, 4, func(s *sweep, u int) { m.accumulate(sums[u], s.load(x, u), s.load(y, u)) })
	m.result(m.total(sums), "ret")
	m.end()
}

// deviation writes Σ (x−mean)².
func (m *machine) deviation() {
	m.function("deviation", "func(x []float32, mean float32) float32", "is Σ (x−mean)².")
	x, n, mean, sums := m.base("x"), m.length("x"), m.spread("mean"), m.zeros(4)
	m.sweep(n, 4, func(s *sweep, u int) {
		d := s.present(m.sub(s.load(x, u), mean))
		m.accumulate(sums[u], d, d)
	})
	m.result(m.total(sums), "ret")
	m.end()
}

// top writes the maximum.
func (m *machine) top() {
	m.function("max", "func(x []float32) float32", "is the largest of x, −Inf of no numbers, NaN if there is one.")
	x, n := m.base("x"), m.length("x")
	tops := []*reg{m.constant(math.Inf(-1)), m.constant(math.Inf(-1))}
	m.sweep(n, 2, func(s *sweep, u int) { m.raise(tops[u], s.filled(s.load(x, u))) })
	m.result(m.fold(tops, m.larger, m.pairMaxima), "ret")
	m.end()
}

// sumSquares writes Σ x² in float64: each vector is widened in two halves.
func (m *machine) sumSquares() {
	m.function("sumSquares", "func(x []float32) float64", "is Σ x², in float64.")
	x, n, sums := m.base("x"), m.length("x"), m.zeros(4)
	m.sweep(n, 2, func(s *sweep, u int) {
		v, low, high := s.load(x, u), m.vec(), m.vec()
		m.word(0x0e617800, "fcvtl v%d.2d, v%d.2s", low, v)
		m.word(0x4e617800, "fcvtl2 v%d.2d, v%d.4s", high, v)
		for i, half := range []*reg{low, high} {
			m.word(0x4e60cc00, "fmla v%d.2d, v%d.2d, v%d.2d", sums[2*u+i], half, half)
		}
	})
	for _, pair := range [][2]int{{0, 1}, {2, 3}, {0, 2}} {
		a, b := sums[pair[0]], sums[pair[1]]
		m.word(0x4e60d400, "fadd v%d.2d, v%d.2d, v%d.2d", a, a, b)
	}
	m.word(0x6e60d400, "faddp v%d.2d, v%d.2d, v%d.2d", sums[0], sums[0], sums[0])
	m.result(sums[0], "ret")
	m.end()
}
