package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// attentions writes the kernels for rows of scores.
func attentions(m *machine) {
	m.softmaxRow()
	m.gradRow()
}

// A dropper makes the dropout of one row of weights.
type dropper struct {
	*machine
	seed, threshold, count, scale reg.VecVirtual
}

// dropper reads the arguments seed, at, threshold and scale.
func (m *machine) dropper() *dropper {
	d := &dropper{machine: m, scale: m.spread("scale"), seed: m.spread("seed"), threshold: m.spread("threshold"), count: m.spread("at")}
	m.VPADDD(m.iota(), d.count, d.count)
	m.VPMULLD(m.bits(0x9e3779b9), d.count, d.count)
	return d
}

// kept is the next lanes whose hash is the threshold at least: backend.Hash, three multiplications of integers, the first by counting.
func (d *dropper) kept() reg.Register {
	h := d.vec()
	d.xor(d.seed, d.count, h)
	lanes := uint32(d.lanes)
	d.VPADDD(d.bits(lanes*0x9e3779b9), d.count, d.count)
	for _, r := range []struct {
		shift  uint8
		factor uint32
	}{{16, 0x21f0aaad}, {15, 0xd35a2d97}, {15, 0}} {
		t := d.vec()
		d.VPSRLD(operand.U8(r.shift), h, t)
		d.xor(t, h, h)
		if r.factor != 0 {
			d.VPMULLD(d.bits(r.factor), h, h)
		}
	}
	return d.atLeast(h, d.threshold)
}

// softmaxRow writes a step of a softmax whose row comes in pieces.
func (m *machine) softmaxRow() {
	m.function("softmaxRow", "func(x []float32, top, total float32, seed, at, threshold uint32, scale float32) (newTop, newTotal, factor float32)",
		"adds numbers to a softmax of maximum top and sum total: what was made before must be multiplied by factor. x becomes exp(x − newTop), with dropout if threshold is not 0.")
	x, n := m.base("x"), m.length("x")
	top := m.spread("top")
	count := m.GP64()
	m.MOVQ(n, count)
	tops := []reg.VecVirtual{top, m.vec()}
	m.VMOVAPS(top, tops[1])
	m.sweep(count, 2, func(s *sweep, u int) {
		v := s.load(x, u)
		if s.mask != nil {
			v = m.choose(s.mask, v, m.constant(math.Inf(-1)))
		}
		m.VMAXPS(tops[u], v, tops[u])
	})
	m.fold(tops, func(b, a, d operand.Op) { m.VMAXPS(b, a, d) })
	m.VBROADCASTSS(top.AsX(), top)
	m.Store(top.AsX(), m.Return("newTop"))
	least := m.constant(-math.MaxFloat32) // nothing but −∞: all exponentials are 0
	shift := m.larger(top, least)
	factor := m.exp(m.sub(m.spread("top"), shift))
	m.Store(factor.AsX(), m.Return("factor"))

	sums := m.zeros(2)
	plain, end := m.label("plain"), m.label("end")
	threshold := m.GP32()
	m.Load(m.Param("threshold"), threshold)
	m.TESTL(threshold, threshold)
	m.JEQ(operand.LabelRef(plain))
	d := m.dropper()
	m.MOVQ(n, count)
	m.sweep(count, 2, func(s *sweep, u int) {
		e := s.present(m.weight(m.sub(s.load(x, u), shift)))
		m.VADDPS(e, sums[u], sums[u])
		s.store(m.where(d.kept(), m.mul(e, d.scale)), x, u)
	})
	m.JMP(operand.LabelRef(end))
	m.Label(plain)
	m.MOVQ(n, count)
	m.sweep(count, 2, func(s *sweep, u int) {
		e := s.present(m.weight(m.sub(s.load(x, u), shift)))
		m.VADDPS(e, sums[u], sums[u])
		s.store(e, x, u)
	})
	m.Label(end)
	sum := m.fold(sums, func(b, a, d operand.Op) { m.VADDPS(b, a, d) })
	total := m.spread("total")
	m.VFMADD231SS(total.AsX(), factor.AsX(), sum)
	m.Store(sum, m.Return("newTotal"))
	m.end()
}

// gradRow writes the gradient of a row of scores.
func (m *machine) gradRow() {
	m.function("gradRow", "func(p, e []float32, lse, mean float32, seed, at, threshold uint32, scale float32)",
		"makes, of a row p of scores and the gradient e by their weights w∘kept, e = w∘(kept∘e − mean) and p = w∘kept, with w = exp(p − lse) and kept = scale or 0 by dropout if threshold is not 0, else 1.")
	p, e, n := m.base("p"), m.base("e"), m.length("p")
	lse, mean := m.spread("lse"), m.spread("mean")
	plain, end := m.label("plain"), m.label("end")
	threshold := m.GP32()
	m.Load(m.Param("threshold"), threshold)
	m.TESTL(threshold, threshold)
	m.JEQ(operand.LabelRef(plain))
	d := m.dropper()
	m.sweep(n, 2, func(s *sweep, u int) {
		w, kept := m.weight(m.sub(s.load(p, u), lse)), d.kept()
		s.store(m.where(kept, m.mul(w, d.scale)), p, u)
		t := m.where(kept, m.mul(s.load(e, u), d.scale))
		s.store(m.mul(m.sub(t, mean), w), e, u)
	})
	m.JMP(operand.LabelRef(end))
	m.Label(plain)
	m.sweep(n, 2, func(s *sweep, u int) {
		w := m.weight(m.sub(s.load(p, u), lse))
		s.store(w, p, u)
		s.store(m.mul(m.sub(s.load(e, u), mean), w), e, u)
	})
	m.Label(end)
	m.end()
}
