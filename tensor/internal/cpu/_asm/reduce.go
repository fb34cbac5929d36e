package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// reductions writes the kernels that make one number of many: each lane of a few vectors adds its own, and at the end these are added in a fixed order.
func reductions(m *machine) {
	m.reduce("sum", "func(x []float32) float32", "is Σ x.", func(s *sweep, u int, x, _ reg.GPVirtual, sum reg.VecVirtual) { m.VADDPS(s.load(x, u), sum, sum) })
	m.reduce("dot", "func(x, y []float32) float32", "is Σ x·y.", func(s *sweep, u int, x, y reg.GPVirtual, sum reg.VecVirtual) {
		m.VFMADD231PS(s.load(x, u), s.load(y, u), sum)
	})
	m.deviation()
	m.top()
	m.sumSquares()
}

// reduce writes a sum of what add makes of x, and y where the signature has it.
func (m *machine) reduce(name, signature, doc string, add func(s *sweep, u int, x, y reg.GPVirtual, sum reg.VecVirtual)) {
	m.function(name, signature, doc)
	x, n := m.base("x"), m.length("x")
	y := x
	if name == "dot" {
		y = m.base("y")
	}
	sums := m.zeros(4)
	m.sweep(n, 4, func(s *sweep, u int) { add(s, u, x, y, sums[u]) })
	m.result(m.fold(sums, func(b, a, d operand.Op) { m.VADDPS(b, a, d) }))
	m.end()
}

// deviation writes Σ (x−mean)².
func (m *machine) deviation() {
	m.function("deviation", "func(x []float32, mean float32) float32", "is Σ (x−mean)².")
	x, n, mean := m.base("x"), m.length("x"), m.spread("mean")
	sums := m.zeros(4)
	m.sweep(n, 4, func(s *sweep, u int) {
		d := s.present(m.sub(s.load(x, u), mean))
		m.VFMADD231PS(d, d, sums[u])
	})
	m.result(m.fold(sums, func(b, a, d operand.Op) { m.VADDPS(b, a, d) }))
	m.end()
}

// top writes the maximum. A NaN is kept by adding up all numbers that are NaN on the side.
func (m *machine) top() {
	m.function("max", "func(x []float32) float32", "is the largest of x, −Inf of no numbers, NaN if there is one.")
	x, n := m.base("x"), m.length("x")
	tops := make([]reg.VecVirtual, 2)
	for i := range tops {
		tops[i] = m.constant(math.Inf(-1))
	}
	bad := m.zeros(1)[0]
	m.sweep(n, 2, func(s *sweep, u int) {
		v := s.load(x, u)
		if s.mask != nil {
			v = m.choose(s.mask, v, m.constant(math.Inf(-1)))
		}
		nan := m.where(m.compare(unordered, v, v), v)
		m.VADDPS(nan, bad, bad)
		m.VMAXPS(tops[u], v, tops[u])
	})
	top := m.fold(tops, func(b, a, d operand.Op) { m.VMAXPS(b, a, d) })
	worst := m.fold([]reg.VecVirtual{bad}, func(b, a, d operand.Op) { m.VADDPS(b, a, d) })
	end := m.label("sound")
	m.VUCOMISS(worst, worst)
	m.JNP(operand.LabelRef(end))
	m.VMOVAPS(worst, top)
	m.Label(end)
	m.result(top)
	m.end()
}

// sumSquares writes Σ x² in float64: each vector is widened in two halves.
func (m *machine) sumSquares() {
	m.function("sumSquares", "func(x []float32) float64", "is Σ x², in float64.")
	x, n := m.base("x"), m.length("x")
	sums := m.zeros(2)
	m.sweep(n, 2, func(s *sweep, u int) {
		v := s.load(x, u)
		upper, low, high := m.half(), m.vec(), m.vec()
		if m.wide {
			m.VEXTRACTF32X8(operand.U8(1), v, upper)
			m.VCVTPS2PD(v.AsY(), low)
		} else {
			m.VEXTRACTF128(operand.U8(1), v, upper)
			m.VCVTPS2PD(v.AsX(), low)
		}
		m.VCVTPS2PD(upper, high)
		m.VFMADD231PD(low, low, sums[0])
		m.VFMADD231PD(high, high, sums[1])
	})
	m.VADDPD(sums[1], sums[0], sums[0])
	v := sums[0]
	if m.wide {
		h := m.YMM()
		m.VEXTRACTF64X4(operand.U8(1), v, h)
		m.VADDPD(h, v.AsY(), v.AsY())
	}
	h := m.XMM()
	m.VEXTRACTF128(operand.U8(1), v.AsY(), h)
	m.VADDPD(h, v.AsX(), v.AsX())
	m.VPERMILPD(operand.U8(1), v.AsX(), h)
	m.VADDSD(h, v.AsX(), v.AsX())
	m.result(v.AsX())
	m.end()
}

// half is a new register of half the width.
func (m *machine) half() reg.VecVirtual {
	if m.wide {
		return m.YMM()
	}
	return m.XMM()
}
