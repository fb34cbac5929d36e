package main

import "math"

// attentions writes the kernels for rows of scores.
func attentions(m *machine) {
	m.softmaxRow()
	m.gradRow()
}

// A dropper makes the dropout of one row of weights.
type dropper struct {
	*machine
	seed, threshold, count, scale *reg
}

// golden is the step of the hash's counter.
const golden = 0x9e3779b9

// dropper reads the arguments seed, at, threshold and scale.
func (m *machine) dropper() *dropper {
	d := &dropper{machine: m, scale: m.spread("scale"), seed: m.spread("seed"), threshold: m.spread("threshold")}
	d.count = m.mulInt(m.addInt(m.spread("at"), m.iota()), m.bits(golden))
	return d
}

// kept is the next lanes whose hash is the threshold at least: backend.Hash, three multiplications of integers, the first by counting. There is no
// such mask without dropout.
func (d *dropper) kept(s *sweep) *reg {
	if d == nil {
		return nil
	}
	h := d.xor(d.seed, d.count)
	step := uint32(lanes)
	if s.single {
		step = 1
	}
	d.into(d.count, add, d.count, d.bits(step*golden))
	for _, r := range []struct {
		shift  int
		factor uint32
	}{{16, 0x21f0aaad}, {15, 0xd35a2d97}, {15, 0}} {
		h = d.xor(h, d.right(h, r.shift))
		if r.factor != 0 {
			h = d.mulInt(h, d.bits(r.factor))
		}
	}
	return d.atLeast(h, d.threshold)
}

// whether writes body twice: with dropout, for an argument threshold that is not 0, and without, with a nil dropper.
func (m *machine) whether(body func(d *dropper)) {
	plain, end := m.label("plain"), m.label("end")
	threshold := m.integer()
	m.do("MOVWU "+m.frame("threshold")+", %v", threshold)
	m.jump("CBZ %v, %s", plain, threshold)
	body(m.dropper())
	m.jump("B %s", end)
	m.mark(plain)
	body(nil)
	m.mark(end)
}

// of is scale·v where it is kept, else 0; v itself without dropout.
func (d *dropper) of(v, kept *reg) *reg {
	if d == nil {
		return v
	}
	return d.where(kept, d.mul(v, d.scale))
}

// softmaxRow writes a step of a softmax whose row comes in pieces.
func (m *machine) softmaxRow() {
	m.function("softmaxRow", "func(x []float32, top, total float32, seed, at, threshold uint32, scale float32) (newTop, newTotal, factor float32)",
		"adds numbers to a softmax of maximum top and sum total: what was made before must be multiplied by factor. x becomes exp(x − newTop), with dropout if threshold is not 0.")
	tops := []*reg{m.spread("top"), m.spread("top")}
	x := m.base("x")
	m.sweep(m.length("x"), 2, func(s *sweep, u int) { m.raise(tops[u], s.filled(s.load(x, u))) })
	top := m.fold(tops, m.larger, m.pairMaxima)
	m.result(top, "newTop")
	shift := m.larger(top, m.constant(-math.MaxFloat32)) // nothing but −∞: all exponentials are 0
	factor := m.exp(m.sub(m.spread("top"), shift))
	m.result(factor, "factor")
	sums := m.zeros(2)
	m.whether(func(d *dropper) {
		x := m.base("x")
		m.sweep(m.length("x"), 2, func(s *sweep, u int) {
			e := s.present(m.weight(m.sub(s.load(x, u), shift)))
			m.plus(sums[u], e)
			s.store(d.of(e, d.kept(s)), x, u)
		})
	})
	sum := m.total(sums)
	m.accumulate(sum, m.spread("total"), factor)
	m.result(sum, "newTotal")
	m.end()
}

// gradRow writes the gradient of a row of scores.
func (m *machine) gradRow() {
	m.function("gradRow", "func(p, e []float32, lse, mean float32, seed, at, threshold uint32, scale float32)",
		"makes, of a row p of scores and the gradient e by their weights w∘kept, e = w∘(kept∘e − mean) and p = w∘kept, with w = exp(p − lse) and kept = scale or 0 by dropout if threshold is not 0, else 1.")
	lse, mean := m.spread("lse"), m.spread("mean")
	m.whether(func(d *dropper) {
		p, e := m.base("p"), m.base("e")
		m.sweep(m.length("p"), 1, func(s *sweep, u int) {
			w, kept := m.weight(m.sub(s.load(p, u), lse)), d.kept(s)
			s.store(d.of(w, kept), p, u)
			s.store(m.mul(m.sub(d.of(s.load(e, u), kept), mean), w), e, u)
		})
	})
	m.end()
}
