package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
)

// Instructions that neither Go's assembler nor avo know are written as bytes, for fixed registers ("Intel 64 and IA-32 Architectures Software Developer's Manual", volume 2, chapter 2).

// A raw is an instruction of opcode map 0F38 without immediate.
type raw struct {
	name   string
	prefix byte // 0: none, 2: F3, 3: F2
	opcode byte
}

var (
	vdpbf16ps      = raw{"VDPBF16PS", 2, 0x52}
	vcvtne2ps2bf16 = raw{"VCVTNE2PS2BF16", 3, 0x72}
	ldtilecfg      = raw{"LDTILECFG", 0, 0x49}
	tilerelease    = raw{"TILERELEASE", 0, 0x49}
	tilezero       = raw{"TILEZERO", 3, 0x49}
	tileloadd      = raw{"TILELOADD", 3, 0x4b}
	tilestored     = raw{"TILESTORED", 2, 0x4b}
	tdpbf16ps      = raw{"TDPBF16PS", 2, 0x5c}
)

// A gpr is the number of a general register.
type gpr int

// General registers as instructions count them. The stack pointer, the frame pointer and R14, where Go keeps the goroutine, are not for kernels.
const (
	ax gpr = iota
	cx
	dx
	bx
	_
	_
	si
	di
	r8
	r9
	r10
	r11
	r12
	r13

	none gpr = -1
)

// A place is memory: base + scale·index + disp bytes.
type place struct {
	base, index gpr
	scale, disp int
}

// evex is an instruction of 512-bit vectors: reg, the first source vvvv and the second, memory whose 32-bit word is repeated over the vector.
func (r raw) evex(reg, vvvv int, m place) []byte {
	return append(r.evexPrefix(reg, vvvv, high(int(m.index)), high(int(m.base)), 1), m.encode(reg&7, 4)...)
}

// evexRegister is evex with a vector as the second source.
func (r raw) evexRegister(reg, vvvv, second int) []byte {
	return append(r.evexPrefix(reg, vvvv, second>>4, second>>3&1, 0), byte(0xc0|reg&7<<3|second&7))
}

func (r raw) evexPrefix(reg, vvvv, x, b, broadcast int) []byte {
	p0 := 0x02 | not(reg>>3)<<7 | not(x)<<6 | not(b)<<5 | not(reg>>4)<<4
	p1 := int(r.prefix) | 4 | (^vvvv&15)<<3
	p2 := 0x40 | broadcast<<4 | not(vvvv>>4)<<3
	return []byte{0x62, byte(p0), byte(p1), byte(p2), r.opcode}
}

// vex is an instruction of tiles that reads or writes memory.
func (r raw) vex(reg int, m place) []byte {
	p0 := 0xe2 &^ (high(int(m.index))<<6 | high(int(m.base))<<5)
	return append([]byte{0xc4, byte(p0), 0x78 | r.prefix, r.opcode}, m.encode(reg, 1)...)
}

// vexRegister is an instruction of tiles alone: reg, the first source rm and the second, vvvv.
func (r raw) vexRegister(reg, rm, vvvv int) []byte {
	return []byte{0xc4, 0xe2, byte(^vvvv&15)<<3 | r.prefix, r.opcode, byte(0xc0 | reg<<3 | rm)}
}

// encode is the bytes that tell the register and the memory. A displacement is one byte where it is a small multiple of unit.
func (m place) encode(reg, unit int) []byte {
	var out []byte
	if m.index != none || m.base&7 == 4 {
		index, scale := 4, 0
		if m.index != none {
			index, scale = int(m.index)&7, map[int]int{1: 0, 2: 1, 4: 2, 8: 3}[m.scale]
		}
		out = []byte{byte(reg<<3 | 4), byte(scale<<6 | index<<3 | int(m.base)&7)}
	} else {
		out = []byte{byte(reg<<3 | int(m.base)&7)}
	}
	switch d := m.disp / unit; {
	case m.disp == 0 && m.base&7 != 5:
	case m.disp%unit == 0 && d >= -128 && d < 128:
		out[0] |= 0x40
		out = append(out, byte(d))
	default:
		out[0] |= 0x80
		out = append(out, byte(m.disp), byte(m.disp>>8), byte(m.disp>>16), byte(m.disp>>24))
	}
	return out
}

// not is the lowest bit turned over.
func not(bit int) int { return ^bit & 1 }

// high is bit 3 of a register's number; a register that is none has none.
func high(n int) int {
	if n < 0 {
		return 0
	}
	return n >> 3 & 1
}

// write puts the bytes of an instruction into the kernel, below its name and operands.
func (m *machine) write(r raw, operands string, code []byte) {
	m.Comment(strings.TrimSpace(r.name + " " + operands))
	for len(code) > 0 {
		n, name, word := 1, "BYTE", operand.Op(operand.U8(code[0]))
		if len(code) >= 4 {
			n, name, word = 4, "LONG", operand.U32(uint32(code[0])|uint32(code[1])<<8|uint32(code[2])<<16|uint32(code[3])<<24)
		}
		m.Instruction(&ir.Instruction{Opcode: name, Operands: []operand.Op{word}})
		code = code[n:]
	}
}

// String is the place in Go's notation.
func (m place) String() string {
	s := fmt.Sprintf("(%s)", gprNames[m.base])
	if m.disp != 0 {
		s = fmt.Sprint(m.disp) + s
	}
	if m.index != none {
		s += fmt.Sprintf("(%s*%d)", gprNames[m.index], m.scale)
	}
	return s
}

var gprNames = [...]string{ax: "AX", cx: "CX", dx: "DX", bx: "BX", si: "SI", di: "DI", r8: "R8", r9: "R9", r10: "R10", r11: "R11", r12: "R12", r13: "R13"}
