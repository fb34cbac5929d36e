package main

// norms writes the kernels of row-wise normalisations. A parameter that may be missing, an empty slice, gives each its own loop.
func norms(m *machine) {
	m.normalise()
	m.normSums()
	m.normGrad()
	m.normParams()
}

// choices does body for each combination of the slices being there or not, and jumps to the one that is called for.
func (m *machine) choices(slices []string, body func(there []bool)) {
	end := m.label("end")
	m.choice(slices, nil, body, end)
	m.mark(end)
}

func (m *machine) choice(slices []string, there []bool, body func(there []bool), end string) {
	if len(slices) == 0 {
		body(there)
		m.jump("B %s", end)
		return
	}
	missing := m.label("missing")
	m.jump("CBZ %v, %s", missing, m.length(slices[0]))
	m.choice(slices[1:], append(there[:len(there):len(there)], true), body, end)
	m.mark(missing)
	m.choice(slices[1:], append(there[:len(there):len(there)], false), body, end)
}

// normalise writes y = (x−mean)·r·gain + bias.
func (m *machine) normalise() {
	m.function("normalise", "func(y, x, gain, bias []float32, mean, r float32)", "makes y = (x−mean)·r·gain + bias; gain or bias may be empty.")
	m.choices([]string{"gain", "bias"}, func(there []bool) {
		y, x, gain, bias, n := m.base("y"), m.base("x"), m.base("gain"), m.base("bias"), m.length("y")
		mean, r := m.spread("mean"), m.spread("r")
		m.sweep(n, 2, func(s *sweep, u int) {
			v := m.mul(m.sub(s.load(x, u), mean), r)
			switch {
			case there[0] && there[1]:
				b := s.load(bias, u)
				m.accumulate(b, s.load(gain, u), v)
				v = b
			case there[0]:
				v = m.mul(v, s.load(gain, u))
			case there[1]:
				v = m.add(v, s.load(bias, u))
			}
			s.store(v, y, u)
		})
	})
	m.end()
}

// normSums writes Σ t and Σ t·n, where t = dy·gain and n = (x−mean)·r.
func (m *machine) normSums() {
	m.function("normSums", "func(x, dy, gain []float32, mean, r float32) (sumT, sumTN float32)", "is Σ t and Σ t·n, where t = dy·gain and n = (x−mean)·r; gain may be empty.")
	m.choices([]string{"gain"}, func(there []bool) {
		x, dy, gain, n := m.base("x"), m.base("dy"), m.base("gain"), m.length("x")
		mean, r := m.spread("mean"), m.spread("r")
		sums, products := m.zeros(2), m.zeros(2)
		m.sweep(n, 2, func(s *sweep, u int) {
			t := s.load(dy, u)
			if there[0] {
				t = m.mul(t, s.load(gain, u))
			}
			m.plus(sums[u], t)
			m.accumulate(products[u], m.mul(m.sub(s.load(x, u), mean), r), t)
		})
		m.result(m.total(sums), "sumT")
		m.result(m.total(products), "sumTN")
	})
	m.end()
}

// normGrad writes dx = r·(t − meanT − n·meanTN).
func (m *machine) normGrad() {
	m.function("normGrad", "func(dx, x, dy, gain []float32, mean, r, meanT, meanTN float32)", "makes dx = r·(t − meanT − n·meanTN), t and n as in normSums; gain may be empty.")
	m.choices([]string{"gain"}, func(there []bool) {
		dx, x, dy, gain, n := m.base("dx"), m.base("x"), m.base("dy"), m.base("gain"), m.length("x")
		mean, r, meanT, meanTN := m.spread("mean"), m.spread("r"), m.spread("meanT"), m.spread("meanTN")
		m.sweep(n, 2, func(s *sweep, u int) {
			t := s.load(dy, u)
			if there[0] {
				t = m.mul(t, s.load(gain, u))
			}
			t = m.sub(t, meanT)
			m.diminish(t, m.mul(m.sub(s.load(x, u), mean), r), meanTN)
			s.store(m.mul(t, r), dx, u)
		})
	})
	m.end()
}

// normParams writes dgain += dy·n and dbias += dy.
func (m *machine) normParams() {
	m.function("normParams", "func(dgain, dbias, x, dy []float32, mean, r float32)", "makes dgain += dy·n and dbias += dy; either may be empty.")
	m.choices([]string{"dgain", "dbias"}, func(there []bool) {
		if !there[0] && !there[1] {
			return
		}
		dgain, dbias, x, dy, n := m.base("dgain"), m.base("dbias"), m.base("x"), m.base("dy"), m.length("x")
		mean, r := m.spread("mean"), m.spread("r")
		m.sweep(n, 2, func(s *sweep, u int) {
			t := s.load(dy, u)
			if there[0] {
				g := s.load(dgain, u)
				m.accumulate(g, m.mul(m.sub(s.load(x, u), mean), r), t)
				s.store(g, dgain, u)
			}
			if there[1] {
				s.store(m.add(t, s.load(dbias, u)), dbias, u)
			}
		})
	})
	m.end()
}
