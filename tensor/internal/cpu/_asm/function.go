package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// functions writes the functions of one number and their slopes. Errors are given in units of the last place of the result, or absolute ones in units of 2⁻²⁴.
func functions(m *machine) {
	m.unary("relu", "max(0, x)", func(x reg.VecVirtual) reg.VecVirtual { return m.larger(m.zeros(1)[0], x) })
	m.unary("leaky", "x, or 0.01x below zero", func(x reg.VecVirtual) reg.VecVirtual { return m.larger(m.mul(x, m.number(0.01)), x) })
	m.unary("square", "x²", func(x reg.VecVirtual) reg.VecVirtual { return m.mul(x, x) })
	m.unary("abs", "|x|", m.absolute)
	m.unary("sqrt", "√x", func(x reg.VecVirtual) reg.VecVirtual { d := m.vec(); m.VSQRTPS(x, d); return d })
	m.unary("reciprocal", "1/x", func(x reg.VecVirtual) reg.VecVirtual { return m.div(m.constant(1), x) })
	m.unary("exp", "exp(x)", m.exp)
	m.unary("tanh", "tanh(x)", m.tanh)
	m.unary("sigmoid", "1/(1+exp(−x))", func(x reg.VecVirtual) reg.VecVirtual { return m.div(m.constant(1), m.logistic(x)) })
	m.unary("silu", "x·σ(x)", func(x reg.VecVirtual) reg.VecVirtual { return m.div(x, m.logistic(x)) })
	m.unary("quickGELU", "x·σ(1.702x)", func(x reg.VecVirtual) reg.VecVirtual { return m.div(x, m.logistic(m.mul(x, m.number(1.702)))) })
	m.unary("geluTanh", "x·σ(2u), u = √(2/π)·(x+0.044715x³)", func(x reg.VecVirtual) reg.VecVirtual { return m.div(x, m.logistic(m.twiceTanhArgument(x))) })
	m.unary("gelu", "x·Φ(x)", func(x reg.VecVirtual) reg.VecVirtual { return m.mul(x, m.normal(x)) })

	m.slope("reluSlope", "of relu, from its output", func(y reg.VecVirtual) reg.VecVirtual { return m.step(y, 0) })
	m.slope("leakySlope", "of leaky, from its output", func(y reg.VecVirtual) reg.VecVirtual { return m.step(y, 0.01) })
	m.slope("squareSlope", "of square", func(x reg.VecVirtual) reg.VecVirtual { return m.add(x, x) })
	m.slope("absSlope", "of abs", func(x reg.VecVirtual) reg.VecVirtual { return m.sub(m.step(x, 0), m.step(m.negative(x), 0)) })
	m.slope("sqrtSlope", "of sqrt, from its output", func(y reg.VecVirtual) reg.VecVirtual { return m.div(m.constant(0.5), y) })
	m.slope("reciprocalSlope", "of reciprocal, from its output", func(y reg.VecVirtual) reg.VecVirtual { return m.mul(m.negative(y), y) })
	m.slope("logSlope", "of the logarithm", func(x reg.VecVirtual) reg.VecVirtual { return m.div(m.constant(1), x) })
	m.slope("tanhSlope", "of tanh, from its output", func(y reg.VecVirtual) reg.VecVirtual {
		d := m.constant(1)
		m.VFNMADD231PS(y, y, d)
		return d
	})
	m.slope("sigmoidSlope", "of sigmoid, from its output", func(y reg.VecVirtual) reg.VecVirtual { return m.mul(m.sub(m.constant(1), y), y) })
	m.slope("softplusSlope", "of softplus", func(x reg.VecVirtual) reg.VecVirtual { return m.div(m.constant(1), m.logistic(x)) })
	m.slope("siluSlope", "of silu", func(x reg.VecVirtual) reg.VecVirtual { return m.swishSlope(x, x, m.constant(1)) })
	m.slope("quickGELUSlope", "of quickGELU", func(x reg.VecVirtual) reg.VecVirtual {
		return m.swishSlope(x, m.mul(x, m.number(1.702)), m.constant(1.702))
	})
	m.slope("geluTanhSlope", "of geluTanh", func(x reg.VecVirtual) reg.VecVirtual {
		du := m.horner(m.mul(x, x), 2*rootTwoOverPi*3*0.044715, 2*rootTwoOverPi)
		return m.swishSlope(x, m.twiceTanhArgument(x), du)
	})
	m.slope("geluSlope", "of gelu", m.geluSlope)
	m.expSum()
}

// unary writes dst = f(x).
func (m *machine) unary(name, formula string, f func(x reg.VecVirtual) reg.VecVirtual) {
	m.function(name, "func(dst, x []float32)", "makes dst = "+formula+".")
	dst, x, n := m.base("dst"), m.base("x"), m.length("dst")
	m.sweep(n, 2, func(s *sweep, u int) { s.store(f(s.load(x, u)), dst, u) })
	m.end()
}

// slope writes dx = dy∘f(x).
func (m *machine) slope(name, what string, f func(x reg.VecVirtual) reg.VecVirtual) {
	m.function(name, "func(dx, x, dy []float32)", "makes dx = dy times the derivative "+what+".")
	dx, x, dy, n := m.base("dx"), m.base("x"), m.base("dy"), m.length("dx")
	m.sweep(n, 2, func(s *sweep, u int) { s.store(m.mul(f(s.load(x, u)), s.load(dy, u)), dx, u) })
	m.end()
}

// exp is exp(x), off by less than 1.1 units: 2ⁿ·p(x − n·ln 2) with a polynomial of degree 6 (Cephes). Below −87.3 it is 0, above 88.7 +Inf.
func (m *machine) exp(x reg.VecVirtual) reg.VecVirtual { return m.expFrom(-87.33654, x) }

// weight is exp(x) for the weights of a softmax, whose largest has x = 0: 0 below −64, which is less than a rounding of any other by far. So no product of weights is
// a subnormal number, with which processors are slow.
func (m *machine) weight(x reg.VecVirtual) reg.VecVirtual { return m.expFrom(-64, x) }

// expFrom is exp(x), 0 below low.
func (m *machine) expFrom(low float64, x reg.VecVirtual) reg.VecVirtual {
	const high = 89
	normal := m.compare(notLess, x, m.number(low))
	x = m.smaller(m.constant(high), x)
	if !m.wide {
		x = m.larger(m.constant(-104), x)
	}
	n := m.nearest(m.mul(x, m.number(math.Log2E)))
	r := m.vec()
	m.VMOVAPS(x, r)
	m.VFNMADD231PS(m.number(0.693359375), n, r)
	m.VFNMADD231PS(m.number(-2.12194440e-4), n, r)
	p := m.horner(r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1, 1)
	return m.where(normal, m.scaled(p, n))
}

// nearest is x rounded to the nearest integer.
func (m *machine) nearest(x reg.VecVirtual) reg.VecVirtual {
	d := m.vec()
	if m.wide {
		m.VRNDSCALEPS(operand.U8(8), x, d)
	} else {
		m.VROUNDPS(operand.U8(8), x, d)
	}
	return d
}

// scaled is p·2ⁿ.
func (m *machine) scaled(p, n reg.VecVirtual) reg.VecVirtual {
	if m.wide {
		d := m.vec()
		m.VSCALEFPS(n, p, d)
		return d
	}
	whole, half := m.YMM(), m.YMM() // in two steps: 2ⁿ itself may not be a number
	m.VCVTPS2DQ(n, whole)
	m.VPSRAD(operand.U8(1), whole, half)
	m.VPSUBD(half, whole, whole)
	for _, e := range []reg.VecVirtual{half, whole} {
		m.VPADDD(m.bits(127), e, e)
		m.VPSLLD(operand.U8(23), e, e)
		p = m.mul(p, e)
	}
	return p
}

// logistic is 1 + exp(−x).
func (m *machine) logistic(x reg.VecVirtual) reg.VecVirtual {
	return m.add(m.exp(m.negative(x)), m.number(1))
}

const rootTwoOverPi = 0.79788456080286535588

// twiceTanhArgument is 2·√(2/π)·(x+0.044715x³).
func (m *machine) twiceTanhArgument(x reg.VecVirtual) reg.VecVirtual {
	return m.mul(m.horner(m.mul(x, x), 2*rootTwoOverPi*0.044715, 2*rootTwoOverPi), x)
}

// swishSlope is the derivative of x·σ(u(x)): s + x·s·(1−s)·u', where 1−s = exp(−u)·s. The second term is left out where s is as good as 0 or 1.
func (m *machine) swishSlope(x, u, du reg.VecVirtual) reg.VecVirtual {
	const most = 80
	present := m.compare(less, m.absolute(u), m.number(most))
	e := m.exp(m.negative(m.larger(m.constant(-most), u)))
	s := m.quotient(m.constant(1), m.add(e, m.number(1)))
	t := m.mul(m.mul(m.mul(e, s), m.mul(s, du)), x)
	return m.add(s, m.where(present, t))
}

// tanh is tanh(x), off by less than 2 units: an odd polynomial (Cephes) near zero, 1 − 2/(exp(2|x|)+1) elsewhere.
func (m *machine) tanh(x reg.VecVirtual) reg.VecVirtual {
	size := m.absolute(x)
	far := m.compare(greater, size, m.number(0.625))
	z := m.mul(x, x)
	near := m.mul(m.horner(z, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1), z)
	m.VFMADD213PS(x, x, near)
	e := m.add(m.exp(m.add(size, size)), m.number(1))
	t := m.sub(m.constant(1), m.div(m.constant(2), e))
	sign := m.vec()
	m.VANDPS(m.bits(1<<31), x, sign)
	m.VORPS(sign, t, t)
	return m.choose(far, t, near)
}

// normal is Φ(x) = (1 + erf(x/√2))/2, off by less than 4·2⁻²⁴: erf is a quotient of polynomials that is 1 to within round-off where |x/√2| is 4, and is taken there beyond.
func (m *machine) normal(x reg.VecVirtual) reg.VecVirtual {
	z := m.mul(x, m.number(math.Sqrt2/2))
	z = m.larger(m.constant(-4), m.smaller(m.constant(4), z))
	z2 := m.mul(z, z)
	p := m.horner(z2, -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05, -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02)
	q := m.horner(z2, -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03, -1.42647390514189e-02)
	e := m.quotient(m.mul(p, z), q)
	half := m.constant(0.5)
	m.VFMADD213PS(half, half, e)
	return e
}

// quotient is a/b, off by less than 2 units, for b that are neither tiny nor huge.
func (m *machine) quotient(a, b reg.VecVirtual) reg.VecVirtual {
	if !m.wide {
		return m.div(a, b)
	}
	r, rest := m.vec(), m.constant(2)
	m.VRCP14PS(b, r) // good to 14 bits; a step of Newton's method doubles them, and costs less than a division
	m.VFNMADD231PS(r, b, rest)
	m.VMULPS(rest, r, r)
	return m.mul(a, r)
}

// geluSlope is Φ(x) + x·φ(x).
func (m *machine) geluSlope(x reg.VecVirtual) reg.VecVirtual {
	const rootTwoPi = 2.50662827463100050242
	density := m.exp(m.mul(m.mul(x, m.number(-0.5)), x))
	d := m.normal(x)
	m.VFMADD231PS(m.mul(density, m.number(1/rootTwoPi)), x, d)
	return d
}

// step is 1 where x > 0, else below; a NaN stays one.
func (m *machine) step(x reg.VecVirtual, below float64) reg.VecVirtual {
	up := m.choose(m.compare(greater, x, m.number(0)), m.constant(1), m.constant(below))
	return m.choose(m.compare(unordered, x, x), x, up)
}

// expSum writes the numerator and denominator of a softmax.
func (m *machine) expSum() {
	m.function("expSum", "func(dst, x []float32, scale, shift float32) float32", "makes dst = exp(scale·x − shift) and returns its sum.")
	dst, x, n := m.base("dst"), m.base("x"), m.length("dst")
	scale, shift := m.spread("scale"), m.spread("shift")
	sums := m.zeros(2)
	m.sweep(n, 2, func(s *sweep, u int) {
		v := s.load(x, u)
		m.VFMSUB213PS(shift, scale, v)
		e := s.present(m.exp(v))
		m.VADDPS(e, sums[u], sums[u])
		s.store(e, dst, u)
	})
	m.result(m.fold(sums, func(b, a, d operand.Op) { m.VADDPS(b, a, d) }))
	m.end()
}

// result stores lane 0 of v as the function's result.
func (m *machine) result(v reg.Register) {
	m.Store(v, m.ReturnIndex(0))
}
