package main

import "math"

// functions writes the functions of one number and their slopes. Errors are given in units of the last place of the result, or absolute ones in units of 2⁻²⁴.
func functions(m *machine) {
	m.unary("relu", "max(0, x)", func(x *reg) *reg { return m.larger(m.zeros(1)[0], x) })
	m.unary("leaky", "x, or 0.01x below zero", func(x *reg) *reg { return m.larger(m.mul(x, m.constant(0.01)), x) })
	m.unary("square", "x²", func(x *reg) *reg { return m.mul(x, x) })
	m.unary("abs", "|x|", m.absolute)
	m.unary("sqrt", "√x", m.root)
	m.unary("reciprocal", "1/x", m.inverse)
	m.unary("exp", "exp(x)", m.exp)
	m.unary("tanh", "tanh(x)", m.tanh)
	m.unary("sigmoid", "1/(1+exp(−x))", func(x *reg) *reg { return m.inverse(m.logistic(x)) })
	m.unary("silu", "x·σ(x)", func(x *reg) *reg { return m.div(x, m.logistic(x)) })
	m.unary("quickGELU", "x·σ(1.702x)", func(x *reg) *reg { return m.div(x, m.logistic(m.mul(x, m.constant(1.702)))) })
	m.unary("geluTanh", "x·σ(2u), u = √(2/π)·(x+0.044715x³)", func(x *reg) *reg { return m.div(x, m.logistic(m.twiceTanhArgument(x))) })
	m.unary("gelu", "x·Φ(x)", func(x *reg) *reg { return m.mul(x, m.normal(x)) })

	m.slope("reluSlope", "of relu, from its output", func(y *reg) *reg { return m.step(y, 0) })
	m.slope("leakySlope", "of leaky, from its output", func(y *reg) *reg { return m.step(y, 0.01) })
	m.slope("squareSlope", "of square", func(x *reg) *reg { return m.add(x, x) })
	m.slope("absSlope", "of abs", func(x *reg) *reg { return m.sub(m.step(x, 0), m.step(m.negative(x), 0)) })
	m.slope("sqrtSlope", "of sqrt, from its output", func(y *reg) *reg { return m.div(m.constant(0.5), y) })
	m.slope("reciprocalSlope", "of reciprocal, from its output", func(y *reg) *reg { return m.mul(m.negative(y), y) })
	m.slope("logSlope", "of the logarithm", m.inverse)
	m.slope("tanhSlope", "of tanh, from its output", func(y *reg) *reg {
		d := m.constant(1)
		m.diminish(d, y, y)
		return d
	})
	m.slope("sigmoidSlope", "of sigmoid, from its output", func(y *reg) *reg { return m.mul(m.sub(m.constant(1), y), y) })
	m.slope("softplusSlope", "of softplus", func(x *reg) *reg { return m.inverse(m.logistic(x)) })
	m.slope("siluSlope", "of silu", func(x *reg) *reg { return m.swishSlope(x, x, m.constant(1)) })
	m.slope("quickGELUSlope", "of quickGELU", func(x *reg) *reg {
		return m.swishSlope(x, m.mul(x, m.constant(1.702)), m.constant(1.702))
	})
	m.slope("geluTanhSlope", "of geluTanh", func(x *reg) *reg {
		du := m.horner(m.mul(x, x), 2*rootTwoOverPi*3*0.044715, 2*rootTwoOverPi)
		return m.swishSlope(x, m.twiceTanhArgument(x), du)
	})
	m.slope("geluSlope", "of gelu", m.geluSlope)
	m.expSum()
}

// unary writes dst = f(x).
func (m *machine) unary(name, formula string, f func(x *reg) *reg) {
	m.function(name, "func(dst, x []float32)", "makes dst = "+formula+".")
	dst, x, n := m.base("dst"), m.base("x"), m.length("dst")
	m.sweep(n, 1, func(s *sweep, u int) { s.store(f(s.load(x, u)), dst, u) })
	m.end()
}

// slope writes dx = dy∘f(x).
func (m *machine) slope(name, what string, f func(x *reg) *reg) {
	m.function(name, "func(dx, x, dy []float32)", "makes dx = dy times the derivative "+what+".")
	dx, x, dy, n := m.base("dx"), m.base("x"), m.base("dy"), m.length("dx")
	m.sweep(n, 1, func(s *sweep, u int) { s.store(m.mul(f(s.load(x, u)), s.load(dy, u)), dx, u) })
	m.end()
}

// inverse is 1/x.
func (m *machine) inverse(x *reg) *reg { return m.div(m.constant(1), x) }

// exp is exp(x), off by less than 1.1 units: 2ⁿ·p(x − n·ln 2) with a polynomial of degree 6 (Cephes). Below −87.3 it is 0, above 88.7 +Inf.
func (m *machine) exp(x *reg) *reg { return m.expFrom(-87.33654, x) }

// weight is exp(x) for the weights of a softmax, whose largest has x = 0: 0 below −64, which is less than a rounding of any other by far. So no product of weights is
// a subnormal number, with which processors are slow.
func (m *machine) weight(x *reg) *reg { return m.expFrom(-64, x) }

// expFrom is exp(x), 0 below low.
func (m *machine) expFrom(low float64, x *reg) *reg {
	below := m.greater(m.constant(low), x)
	r := m.larger(m.constant(-104), m.smaller(m.constant(89), x))
	n := m.nearest(m.mul(r, m.constant(math.Log2E)))
	m.diminish(r, n, m.constant(0.693359375))
	m.diminish(r, n, m.constant(-2.12194440e-4))
	p := m.horner(r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1, 1)
	return m.but(below, m.scaled(p, n))
}

// scaled is p·2ⁿ, in two steps: 2ⁿ itself may not be a number.
func (m *machine) scaled(p, n *reg) *reg {
	whole := m.rounded(n)
	half := m.halve(whole)
	for _, e := range []*reg{half, m.subInt(whole, half)} {
		p = m.mul(p, m.left(m.addInt(e, m.bits(127)), 23))
	}
	return p
}

// logistic is 1 + exp(−x).
func (m *machine) logistic(x *reg) *reg { return m.add(m.exp(m.negative(x)), m.constant(1)) }

const rootTwoOverPi = 0.79788456080286535588

// twiceTanhArgument is 2·√(2/π)·(x+0.044715x³).
func (m *machine) twiceTanhArgument(x *reg) *reg {
	return m.mul(m.horner(m.mul(x, x), 2*rootTwoOverPi*0.044715, 2*rootTwoOverPi), x)
}

// swishSlope is the derivative of x·σ(u(x)): s + x·s·(1−s)·u', where 1−s = exp(−u)·s. The second term is left out where s is as good as 0 or 1.
func (m *machine) swishSlope(x, u, du *reg) *reg {
	const most = 80
	present := m.greater(m.constant(most), m.absolute(u))
	e := m.exp(m.negative(m.larger(m.constant(-most), u)))
	s := m.inverse(m.add(e, m.constant(1)))
	t := m.mul(m.mul(m.mul(e, s), m.mul(s, du)), x)
	return m.add(s, m.where(present, t))
}

// tanh is tanh(x), off by less than 2 units: an odd polynomial (Cephes) near zero, 1 − 2/(exp(2|x|)+1) elsewhere.
func (m *machine) tanh(x *reg) *reg {
	size := m.absolute(x)
	far := m.greater(size, m.constant(0.625))
	z := m.mul(x, x)
	near := m.clone(x)
	m.accumulate(near, m.mul(m.horner(z, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1), z), x)
	e := m.add(m.exp(m.add(size, size)), m.constant(1))
	t := m.sub(m.constant(1), m.div(m.constant(2), e))
	return m.choose(far, m.choose(m.bits(1<<31), x, t), near)
}

// normal is Φ(x) = (1 + erf(x/√2))/2, off by less than 4·2⁻²⁴: erf is a quotient of polynomials that is 1 to within round-off where |x/√2| is 4, and is taken there beyond.
func (m *machine) normal(x *reg) *reg {
	z := m.mul(x, m.constant(math.Sqrt2/2))
	z = m.larger(m.constant(-4), m.smaller(m.constant(4), z))
	z2 := m.mul(z, z)
	p := m.horner(z2, -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05, -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02)
	q := m.horner(z2, -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03, -1.42647390514189e-02)
	half := m.constant(0.5)
	sum := m.clone(half)
	m.accumulate(sum, m.div(m.mul(p, z), q), half)
	return sum
}

// geluSlope is Φ(x) + x·φ(x).
func (m *machine) geluSlope(x *reg) *reg {
	const rootTwoPi = 2.50662827463100050242
	density := m.exp(m.mul(m.mul(x, m.constant(-0.5)), x))
	d := m.normal(x)
	m.accumulate(d, m.mul(density, m.constant(1/rootTwoPi)), x)
	return d
}

// step is 1 where x > 0, else below; a NaN stays one.
func (m *machine) step(x *reg, below float64) *reg {
	up := m.choose(m.greater(x, m.zeros(1)[0]), m.constant(1), m.constant(below))
	return m.choose(m.equal(x, x), up, x)
}

// expSum writes the numerator and denominator of a softmax.
func (m *machine) expSum() {
	m.function("expSum", "func(dst, x []float32, scale, shift float32) float32", "makes dst = exp(scale·x − shift) and returns its sum.")
	dst, x, n := m.base("dst"), m.base("x"), m.length("dst")
	scale, shift := m.spread("scale"), m.spread("shift")
	sums := m.zeros(2)
	m.sweep(n, 2, func(s *sweep, u int) {
		e := s.present(m.exp(m.sub(m.mul(s.load(x, u), scale), shift)))
		m.plus(sums[u], e)
		s.store(e, dst, u)
	})
	m.result(m.total(sums), "ret")
	m.end()
}
