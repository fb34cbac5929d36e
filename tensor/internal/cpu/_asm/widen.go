package main

import "github.com/mmcloughlin/avo/operand"

// widenings writes the kernels that turn stored numbers into float32, whole vectors only: what is left over is for Go code, which gives the same bits.
func widenings(m *machine) {
	m.widen("fromBF16", "", "widens bfloat16 numbers", 2, func(src operand.Mem) operand.Op {
		v := m.vec()
		m.VPMOVZXWD(src, v)
		m.VPSLLD(operand.U8(16), v, v)
		return v
	})
	m.widen("fromF16", "", "widens IEEE 754 binary16 numbers", 2, func(src operand.Mem) operand.Op {
		v := m.vec()
		m.VCVTPH2PS(src, v)
		return v
	})
	m.widen("fromI8", ", scale float32", "makes dst = scale·src", 1, func(src operand.Mem) operand.Op {
		v := m.vec()
		m.VPMOVSXBD(src, v)
		m.VCVTDQ2PS(v, v)
		m.VMULPS(m.spread("scale"), v, v)
		return v
	})
}

// widen writes a kernel for numbers of the given size.
func (m *machine) widen(name, more, doc string, size uint8, f func(src operand.Mem) operand.Op) {
	m.function(name, "func(dst []float32, src []byte"+more+")", doc+"; the length of dst is a multiple of a vector's.")
	dst, src, n := m.base("dst"), m.base("src"), m.length("dst")
	loop, done := m.label("loop"), m.label("done")
	i := m.GP64()
	m.XORQ(i, i)
	m.Label(loop)
	m.CMPQ(i, n)
	m.JGE(operand.LabelRef(done))
	m.VMOVUPS(f(operand.Mem{Base: src, Index: i, Scale: size}), element(dst, i, 0))
	m.ADDQ(imm(m.lanes), i)
	m.JMP(operand.LabelRef(loop))
	m.Label(done)
	m.end()
}
