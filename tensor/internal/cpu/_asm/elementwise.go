package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elementwise writes the kernels that act on each number.
func elementwise(m *machine) {
	m.binary("add", "x + y", m.VADDPS)
	m.binary("sub", "x − y", m.VSUBPS)
	m.binary("mul", "x∘y", m.VMULPS)
	m.binary("div", "x/y", m.VDIVPS)
	m.largest()
	m.axpby()
	m.dropout()
	m.slopeSoftmax()
	m.rotate()
	m.adamW()
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

// binary writes dst = op(x, y).
func (m *machine) binary(name, formula string, op func(...operand.Op)) {
	m.function(name, "func(dst, x, y []float32)", "makes dst = "+formula+".")
	dst, x, y, n := m.base("dst"), m.base("x"), m.base("y"), m.length("dst")
	m.sweep(n, 4, func(s *sweep, u int) {
		v := m.vec()
		op(s.load(y, u), s.load(x, u), v)
		s.store(v, dst, u)
	})
	m.end()
}

// largest writes the maximum of two.
func (m *machine) largest() {
	m.function("larger", "func(dst, x, y []float32)", "makes dst the larger of x and y, NaN if either is.")
	dst, x, y, n := m.base("dst"), m.base("x"), m.base("y"), m.length("dst")
	m.sweep(n, 2, func(s *sweep, u int) {
		a, b := s.load(x, u), s.load(y, u)
		s.store(m.choose(m.compare(unordered, a, a), a, m.larger(a, b)), dst, u)
	})
	m.end()
}

// axpby writes dst = a·x + b·dst.
func (m *machine) axpby() {
	m.function("axpby", "func(dst, x []float32, a, b float32)", "makes dst = a·x + b·dst; with b = 0 dst is not read.")
	dst, x, n := m.base("dst"), m.base("x"), m.length("dst")
	a, b := m.spread("a"), m.spread("b")
	add, end := m.label("add"), m.label("end")
	zero := m.XMM()
	m.VXORPS(zero, zero, zero)
	m.VUCOMISS(zero, b.AsX())
	m.JNE(operand.LabelRef(add))
	m.sweep(n, 4, func(s *sweep, u int) { s.store(m.mul(s.load(x, u), a), dst, u) })
	m.JMP(operand.LabelRef(end))
	m.Label(add)
	m.sweep(n, 4, func(s *sweep, u int) {
		v := m.mul(s.load(dst, u), b)
		m.VFMADD231PS(s.load(x, u), a, v)
		s.store(v, dst, u)
	})
	m.Label(end)
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

// dropout writes dropout by backend.Hash.
func (m *machine) dropout() {
	m.function("dropout", "func(dst, x []float32, seed, at, threshold uint32, scale float32)", "makes dst[i] = scale·x[i] where the hash of seed and at+i is threshold at least, else 0.")
	dst, x, n := m.base("dst"), m.base("x"), m.length("dst")
	d := m.dropper()
	m.sweep(n, 2, func(s *sweep, u int) { s.store(m.where(d.kept(), m.mul(s.load(x, u), d.scale)), dst, u) })
	m.end()
}

// xor makes d = a ⊕ b.
func (m *machine) xor(a, b, d reg.VecVirtual) {
	if m.wide {
		m.VPXORD(a, b, d)
	} else {
		m.VPXOR(a, b, d)
	}
}

// atLeast is the lanes where a >= b, as unsigned integers.
func (m *machine) atLeast(a, b reg.VecVirtual) reg.Register {
	if m.wide {
		k := m.K()
		m.VPCMPUD(operand.U8(5), b, a, k)
		return k
	}
	v := m.YMM()
	m.VPMAXUD(a, b, v)
	m.VPCMPEQD(a, v, v)
	return v
}

// adamW writes the update of AdamW. The factors lie in c as the fields of the struct do.
func (m *machine) adamW() {
	m.function("adamW", "func(p, g, m, v []float32, c *float32)", "updates p, m and v by g; c are the fields of an adamW.")
	state := m.AllocLocal(8)
	m.flushSubnormals(state)
	p, g, m1, m2, n := m.base("p"), m.base("g"), m.base("m"), m.base("v"), m.length("p")
	c := m.integer("c")
	field := func(i int) reg.VecVirtual {
		v := m.vec()
		m.VBROADCASTSS(at(c, 4*i), v)
		return v
	}
	m.sweep(n, 1, func(s *sweep, u int) {
		d := m.mul(s.load(g, u), field(0))
		a := m.mul(s.load(m1, u), field(1))
		m.VFMADD231PS(d, field(2), a)
		s.store(a, m1, u)
		b := m.mul(s.load(m2, u), field(3))
		m.VMULPS(d, d, d)
		m.VFMADD231PS(d, field(4), b)
		s.store(b, m2, u)
		root := m.mul(b, field(7))
		m.VSQRTPS(root, root)
		m.VADDPS(field(8), root, root)
		step := m.div(m.mul(a, field(6)), root)
		next := m.mul(s.load(p, u), field(5))
		s.store(m.sub(next, step), p, u)
	})
	m.LDMXCSR(state)
	m.end()
}

// flushSubnormals lets results and operands that are subnormal be zero, as moments become that decay, until the state is loaded again: processors are slow with them.
func (m *machine) flushSubnormals(state operand.Mem) {
	const toZero, areZero = 1 << 15, 1 << 6
	m.STMXCSR(state)
	word := m.GP32()
	m.MOVL(state, word)
	m.ORL(imm(toZero|areZero), word)
	m.MOVL(word, state.Offset(4))
	m.LDMXCSR(state.Offset(4))
}
