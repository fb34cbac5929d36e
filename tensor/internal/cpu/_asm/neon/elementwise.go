package main

// elementwise writes the kernels that act on each number.
func elementwise(m *machine) {
	m.binary("add", "x + y", m.add)
	m.binary("sub", "x − y", m.sub)
	m.binary("mul", "x∘y", m.mul)
	m.binary("div", "x/y", m.div)
	m.binary("larger", "the larger of x and y, NaN if either is", m.larger)
	m.axpby()
	m.dropout()
	m.slopeSoftmax()
	m.rotate()
	m.adamW()
}

// binary writes dst = op(x, y).
func (m *machine) binary(name, formula string, op func(a, b *reg) *reg) {
	m.function(name, "func(dst, x, y []float32)", "makes dst = "+formula+".")
	dst, x, y, n := m.base("dst"), m.base("x"), m.base("y"), m.length("dst")
	m.sweep(n, 4, func(s *sweep, u int) { s.store(op(s.load(x, u), s.load(y, u)), dst, u) })
	m.end()
}

// axpby writes dst = a·x + b·dst.
func (m *machine) axpby() {
	m.function("axpby", "func(dst, x []float32, a, b float32)", "makes dst = a·x + b·dst; with b = 0 dst is not read.")
	dst, x, n := m.base("dst"), m.base("x"), m.length("dst")
	a, b := m.spread("a"), m.spread("b")
	add, end := m.label("add"), m.label("end")
	m.do("FCMPS $(0.0), %v", b)
	m.jump("BNE %s", add)
	m.sweep(n, 4, func(s *sweep, u int) { s.store(m.mul(s.load(x, u), a), dst, u) })
	m.jump("B %s", end)
	m.mark(add)
	m.sweep(n, 4, func(s *sweep, u int) {
		v := m.mul(s.load(dst, u), b)
		m.accumulate(v, s.load(x, u), a)
		s.store(v, dst, u)
	})
	m.mark(end)
	m.end()
}

// slopeSoftmax writes the gradient of a softmax.
func (m *machine) slopeSoftmax() {
	m.function("slopeSoftmax", "func(dx, y, dy []float32, mean float32)", "makes dx = y∘(dy − mean).")
	dx, y, dy, n := m.base("dx"), m.base("y"), m.base("dy"), m.length("dx")
	mean := m.spread("mean")
	m.sweep(n, 4, func(s *sweep, u int) { s.store(m.mul(m.sub(s.load(dy, u), mean), s.load(y, u)), dx, u) })
	m.end()
}

// rotate writes the rotation of pairs.
func (m *machine) rotate() {
	m.function("rotate", "func(da, db, a, b, cos, sin []float32)", "makes da = a∘cos − b∘sin and db = a∘sin + b∘cos.")
	da, db, a, b, cos, sin, n := m.base("da"), m.base("db"), m.base("a"), m.base("b"), m.base("cos"), m.base("sin"), m.length("da")
	m.sweep(n, 1, func(s *sweep, u int) {
		x, y, c, d := s.load(a, u), s.load(b, u), s.load(cos, u), s.load(sin, u)
		s.store(m.sub(m.mul(x, c), m.mul(y, d)), da, u)
		s.store(m.add(m.mul(x, d), m.mul(y, c)), db, u)
	})
	m.end()
}

// dropout writes dropout by backend.Hash.
func (m *machine) dropout() {
	m.function("dropout", "func(dst, x []float32, seed, at, threshold uint32, scale float32)", "makes dst[i] = scale·x[i] where the hash of seed and at+i is threshold at least, else 0.")
	dst, x, n := m.base("dst"), m.base("x"), m.length("dst")
	d := m.dropper()
	m.sweep(n, 1, func(s *sweep, u int) { s.store(m.where(d.kept(s), m.mul(s.load(x, u), d.scale)), dst, u) })
	m.end()
}

// adamW writes the update of AdamW. The factors lie in c as the fields of the struct do.
func (m *machine) adamW() {
	m.function("adamW", "func(p, g, m, v []float32, c *float32)", "updates p, m and v by g; c are the fields of an adamW.")
	p, g, m1, m2, n := m.base("p"), m.base("g"), m.base("m"), m.base("v"), m.length("p")
	c := m.arg("c")
	var field [9]*reg
	for i := range field {
		v := m.vec()
		m.do("FMOVS %v, %v", mem{c, 4 * i}, v)
		field[i] = m.everywhere(v)
	}
	m.sweep(n, 1, func(s *sweep, u int) {
		d := m.mul(s.load(g, u), field[0])
		a := m.mul(s.load(m1, u), field[1])
		m.accumulate(a, d, field[2])
		s.store(a, m1, u)
		b := m.mul(s.load(m2, u), field[3])
		m.accumulate(b, m.mul(d, d), field[4])
		s.store(b, m2, u)
		root := m.add(m.root(m.mul(b, field[7])), field[8])
		step := m.div(m.mul(a, field[6]), root)
		s.store(m.sub(m.mul(s.load(p, u), field[5]), step), p, u)
	})
	m.end()
}
