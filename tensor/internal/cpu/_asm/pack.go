package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packs writes the kernels that lay numbers out for tiles.
func packs(m *machine) {
	m.pack()
	m.stack()
	m.touch()
}

// pack writes the kernel that transposes.
func (m *machine) pack() {
	if m.wide {
		m.pack512()
		return
	}
	m.pack256()
}

const packSignature = "func(dst, src []float32, rows, cols, stride int)"

// A rowsIn hands out rows of a matrix, one after the other; where there are no more, rows of zeros.
type rowsIn struct {
	*machine
	p, stride, left, zeros, none reg.GPVirtual
}

// rowsIn begins with the first of so many rows at src, stride bytes apart.
func (m *machine) rowsIn(src, stride, rows reg.GPVirtual) *rowsIn {
	r := &rowsIn{machine: m, p: m.GP64(), stride: m.GP64(), left: m.GP64(), zeros: m.GP64(), none: m.GP64()}
	m.MOVQ(src, r.p)
	m.MOVQ(stride, r.stride)
	m.MOVQ(rows, r.left)
	m.LEAQ(m.bits(0), r.zeros)
	m.XORQ(r.none, r.none)
	m.TESTQ(r.left, r.left)
	r.end()
	return r
}

// end goes on with zeros if no row is left, by the flags.
func (r *rowsIn) end() {
	r.CMOVQLE(r.zeros, r.p)
	r.CMOVQLE(r.none, r.stride)
}

// next is done with a row.
func (r *rowsIn) next() {
	r.ADDQ(r.stride, r.p)
	r.DECQ(r.left)
	r.end()
}

// squares transposes squares of size×size numbers, two below each other, while there are as many columns.
func (m *machine) squares(size int, dst, src, rows, cols, stride reg.GPVirtual, transpose func(rows *rowsIn, dst reg.GPVirtual, disp int)) {
	block, rest := m.label("block"), m.label("rest")
	m.Label(block)
	m.CMPQ(cols, imm(size))
	m.JLT(operand.LabelRef(rest))
	from := m.rowsIn(src, stride, rows)
	for half := range 2 {
		transpose(from, dst, 4*size*half)
	}
	m.ADDQ(imm(4*size), src)
	m.ADDQ(imm(8*size*size), dst)
	m.SUBQ(imm(size), cols)
	m.JMP(operand.LabelRef(block))
	m.Label(rest)
}

// pack512 transposes blocks of 16×16 numbers in registers; columns that are left it gathers a vector at a time.
func (m *machine) pack512() {
	m.function("pack", packSignature, "makes dst[j·32 + i] = src[i·stride + j] for i < rows, j < cols, and 0 for rows <= i < 32.")
	dst, src, rows, cols, stride := m.base("dst"), m.base("src"), m.integer("rows"), m.integer("cols"), m.bytes("stride")
	column, done := m.label("column"), m.label("done")
	m.squares(16, dst, src, rows, cols, stride, m.transpose16)
	m.TESTQ(cols, cols)
	m.JLE(operand.LabelRef(done))
	upper := m.GP64()
	m.LEAQ(at(rows, -16), upper)
	masks := [2]reg.Register{m.lanesMask(rows), m.lanesMaskSigned(upper)}
	offsets := m.ZMM()
	m.VPBROADCASTD(stride.As32(), offsets)
	m.VPMULLD(m.iota(), offsets, offsets)
	second := m.GP64()
	m.MOVQ(stride, second)
	m.SHLQ(operand.U8(4), second)
	m.ADDQ(src, second)
	m.Label(column)
	for half, p := range []reg.Register{src, second} {
		v, k := m.ZMM(), m.K()
		m.VXORPS(v, v, v)
		m.KMOVW(masks[half], k)
		m.VGATHERDPS(operand.Mem{Base: p, Index: offsets, Scale: 1}, k, v)
		m.VMOVUPS(v, at(dst, 64*half))
	}
	m.ADDQ(imm(4), src)
	m.ADDQ(imm(4), second)
	m.ADDQ(imm(128), dst)
	m.DECQ(cols)
	m.JNZ(operand.LabelRef(column))
	m.Label(done)
	m.end()
}

// lanesMaskSigned is lanesMask for an n that may be negative, for which no lane is in the mask.
func (m *machine) lanesMaskSigned(n reg.GPVirtual) reg.Register {
	zero := m.GP64()
	m.XORQ(zero, zero)
	m.TESTQ(n, n)
	m.CMOVQLT(zero, n)
	return m.lanesMask(n)
}

// transpose16 writes the next 16 rows as columns: row i to lane i of 16 vectors 128 bytes apart at dst + disp.
func (m *machine) transpose16(rows *rowsIn, dst reg.GPVirtual, disp int) {
	var r, t [16]reg.VecVirtual
	for i := range r {
		r[i] = m.ZMM()
		m.VMOVUPS(at(rows.p, 0), r[i])
		rows.next()
	}
	for i := 0; i < 16; i += 2 { // pairs of rows: numbers 0, 1 of each quarter, and 2, 3
		t[i], t[i+1] = m.ZMM(), m.ZMM()
		m.VUNPCKLPS(r[i+1], r[i], t[i])
		m.VUNPCKHPS(r[i+1], r[i], t[i+1])
	}
	for i := 0; i < 16; i += 4 { // fours of rows: number c of each quarter in r[i+c]
		for c := range 4 {
			r[i+c] = m.ZMM()
			if c%2 == 0 {
				m.VUNPCKLPD(t[i+2+c/2], t[i+c/2], r[i+c])
			} else {
				m.VUNPCKHPD(t[i+2+c/2], t[i+c/2], r[i+c])
			}
		}
	}
	for c := range 4 { // eights of rows: quarters 0, 2 and 1, 3
		for i := 0; i < 16; i += 8 {
			even, odd := m.ZMM(), m.ZMM()
			m.VSHUFF32X4(operand.U8(0x88), r[i+4+c], r[i+c], even)
			m.VSHUFF32X4(operand.U8(0xdd), r[i+4+c], r[i+c], odd)
			t[i+c], t[i+4+c] = even, odd
		}
		for parity := range 2 { // all rows: column 4q + c for quarters q = parity and parity + 2
			low, high := t[4*parity+c], t[8+4*parity+c]
			for half, code := range []uint8{0x88, 0xdd} {
				v := m.ZMM()
				m.VSHUFF32X4(operand.U8(code), high, low, v)
				m.VMOVUPS(v, at(dst, disp+128*(4*(parity+2*half)+c)))
			}
		}
	}
}

// pack256 transposes blocks of 8×8 numbers in registers, and number by number what is left.
func (m *machine) pack256() {
	m.function("pack", packSignature, "makes dst[j·16 + i] = src[i·stride + j] for i < rows, j < cols, and 0 for rows <= i < 16.")
	dst, src, rows, cols, stride := m.base("dst"), m.base("src"), m.integer("rows"), m.integer("cols"), m.bytes("stride")
	done := m.label("done")
	m.squares(8, dst, src, rows, cols, stride, m.transpose8)
	m.TESTQ(cols, cols)
	m.JLE(operand.LabelRef(done))
	m.packColumns(dst, src, rows, cols, stride)
	m.Label(done)
	m.end()
}

// packColumns copies column after column, number by number, and fills each up to 16.
func (m *machine) packColumns(dst, src, rows, cols, stride reg.GPVirtual) {
	column, row, filled := m.label("column"), m.label("row"), m.label("filled")
	zero := m.YMM()
	m.VXORPS(zero, zero, zero)
	p, i := m.GP64(), m.GP64()
	m.Label(column)
	m.VMOVUPS(zero, at(dst, 0))
	m.VMOVUPS(zero, at(dst, 32))
	m.MOVQ(src, p)
	m.XORQ(i, i)
	m.Label(row)
	m.CMPQ(i, rows)
	m.JGE(operand.LabelRef(filled))
	x := m.GP32()
	m.MOVL(at(p, 0), x)
	m.MOVL(x, element(dst, i, 0))
	m.ADDQ(stride, p)
	m.INCQ(i)
	m.JMP(operand.LabelRef(row))
	m.Label(filled)
	m.ADDQ(imm(4), src)
	m.ADDQ(imm(64), dst)
	m.DECQ(cols)
	m.JNZ(operand.LabelRef(column))
}

// transpose8 writes the next 8 rows as columns: row i to lane i of 8 vectors 64 bytes apart at dst + disp.
func (m *machine) transpose8(rows *rowsIn, dst reg.GPVirtual, disp int) {
	var r [8]reg.VecVirtual
	for i := range 4 { // rows i and i+4 share a vector for each half of the columns
		r[i], r[i+4] = m.YMM(), m.YMM()
		m.VBROADCASTF128(at(rows.p, 0), r[i])
		m.VBROADCASTF128(at(rows.p, 16), r[i+4])
		rows.next()
	}
	for i := range 4 {
		m.VINSERTF128(operand.U8(1), at(rows.p, 0), r[i], r[i])
		m.VINSERTF128(operand.U8(1), at(rows.p, 16), r[i+4], r[i+4])
		rows.next()
	}
	for h := 0; h < 8; h += 4 {
		a, b, c, d := m.YMM(), m.YMM(), m.YMM(), m.YMM()
		m.VUNPCKLPS(r[h+1], r[h], a)
		m.VUNPCKHPS(r[h+1], r[h], b)
		m.VUNPCKLPS(r[h+3], r[h+2], c)
		m.VUNPCKHPS(r[h+3], r[h+2], d)
		for n, pair := range [][2]reg.VecVirtual{{a, c}, {b, d}} {
			v := m.YMM()
			m.VUNPCKLPD(pair[1], pair[0], v)
			m.VMOVUPS(v, at(dst, disp+64*(h+2*n)))
			m.VUNPCKHPD(pair[1], pair[0], v)
			m.VMOVUPS(v, at(dst, disp+64*(h+2*n+1)))
		}
	}
}

// stack writes the kernel that copies rows of at most a panel's width.
func (m *machine) stack() {
	m.function("stack", "func(dst, src []float32, rows, cols, stride, pitch int)", "makes dst[i·pitch + j] = src[i·stride + j] for i < rows, j < cols, and 0 for cols <= j < pitch, where pitch is one or two vectors.")
	dst, src, rows, cols, stride, pitch := m.base("dst"), m.base("src"), m.integer("rows"), m.integer("cols"), m.bytes("stride"), m.bytes("pitch")
	two, one, done := m.label("two"), m.label("one"), m.label("done")
	m.TESTQ(rows, rows)
	m.JLE(operand.LabelRef(done))
	upper := m.GP64()
	m.LEAQ(at(cols, -m.lanes), upper)
	low, high := m.lanesMask(cols), m.lanesMaskSigned(upper)
	m.CMPQ(pitch, imm(4*m.lanes))
	m.JE(operand.LabelRef(one))
	m.Label(two)
	v, w := m.vec(), m.vec()
	m.loadMasked(at(src, 0), low, v)
	m.loadMasked(at(src, 4*m.lanes), high, w)
	m.VMOVUPS(v, at(dst, 0))
	m.VMOVUPS(w, at(dst, 4*m.lanes))
	m.ADDQ(stride, src)
	m.ADDQ(pitch, dst)
	m.DECQ(rows)
	m.JNZ(operand.LabelRef(two))
	m.JMP(operand.LabelRef(done))
	m.Label(one)
	m.loadMasked(at(src, 0), low, v)
	m.VMOVUPS(v, at(dst, 0))
	m.ADDQ(stride, src)
	m.ADDQ(pitch, dst)
	m.DECQ(rows)
	m.JNZ(operand.LabelRef(one))
	m.Label(done)
	m.end()
}

// touch writes the kernel that fetches a matrix.
func (m *machine) touch() {
	m.function("touch", "func(src []float32, rows, cols, stride int)", "brings rows of cols numbers, stride apart, to the second-level cache.")
	src, rows, cols, stride := m.base("src"), m.integer("rows"), m.bytes("cols"), m.bytes("stride")
	row, line, done := m.label("row"), m.label("line"), m.label("done")
	m.TESTQ(rows, rows)
	m.JLE(operand.LabelRef(done))
	i := m.GP64()
	m.Label(row)
	m.XORQ(i, i)
	m.Label(line)
	m.PREFETCHT1(operand.Mem{Base: src, Index: i, Scale: 1})
	m.ADDQ(imm(64), i)
	m.CMPQ(i, cols)
	m.JLT(operand.LabelRef(line))
	m.ADDQ(stride, src)
	m.DECQ(rows)
	m.JNZ(operand.LabelRef(row))
	m.Label(done)
	m.end()
}
