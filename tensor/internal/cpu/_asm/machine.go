package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A machine writes instructions for vectors of one width.
type machine struct {
	*build.Context
	wide   bool   // AVX-512
	name   string // of the instruction set, where it is more than AVX-512
	lanes  int    // numbers in a vector
	labels int
	splats []uint32 // constants in use, each repeated over a vector
	counts bool     // iota is in use
	halved bool     // vectors of 8 numbers for now, in AVX-512 code
}

func newMachine(wide bool) *machine {
	m := &machine{Context: build.NewContext(), wide: wide, lanes: 8}
	if wide {
		m.lanes = 16
	}
	m.ConstraintExpr("!noasm")
	return m
}

// set is the name of the instruction set, as functions bear it.
func (m *machine) set() string {
	if m.name != "" {
		return m.name
	}
	if m.wide {
		return "AVX512"
	}
	return "AVX2"
}

func (m *machine) lower() string { return strings.ToLower(m.set()) }

// function begins a kernel. Its name gets the set's name appended.
func (m *machine) function(name, signature, doc string) {
	m.Function(name + m.set())
	m.Attributes(attr.NOSPLIT)
	m.SignatureExpr(signature)
	m.Doc(name + m.set() + " " + doc)
	m.Pragma("noescape")
}

// end ends it.
func (m *machine) end() {
	m.VZEROUPPER()
	m.RET()
}

// label is a new label.
func (m *machine) label(what string) string {
	m.labels++
	return fmt.Sprintf("%s%d", what, m.labels)
}

// vec is a new vector.
func (m *machine) vec() reg.VecVirtual {
	if m.wide && !m.halved {
		return m.ZMM()
	}
	return m.YMM()
}

// base is the address of the named slice, length its length.
func (m *machine) base(slice string) reg.GPVirtual {
	r := m.GP64()
	m.Load(m.Param(slice).Base(), r)
	return r
}

func (m *machine) length(slice string) reg.GPVirtual {
	r := m.GP64()
	m.Load(m.Param(slice).Len(), r)
	return r
}

// integer is the named argument.
func (m *machine) integer(name string) reg.GPVirtual {
	r := m.GP64()
	m.Load(m.Param(name), r)
	return r
}

// bytes is the named argument, a count of numbers, in bytes.
func (m *machine) bytes(name string) reg.GPVirtual {
	r := m.integer(name)
	m.SHLQ(operand.U8(2), r)
	return r
}

// spread is the named argument in each lane.
func (m *machine) spread(name string) reg.VecVirtual {
	b, err := m.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := m.vec()
	m.VBROADCASTSS(b.Addr, v)
	return v
}

// zero makes v = 0.
func (m *machine) zero(v reg.Register) {
	m.VXORPS(v, v, v)
}

// bits is a vector in memory with the given word in each lane.
func (m *machine) bits(word uint32) operand.Mem {
	at := -1
	for i, s := range m.splats {
		if s == word {
			at = i
		}
	}
	if at < 0 {
		at = len(m.splats)
		m.splats = append(m.splats, word)
	}
	return operand.NewDataAddr(operand.NewStaticSymbol(m.lower()+"Splats"), at*4*m.lanes)
}

// number is a vector in memory with the given number in each lane.
func (m *machine) number(x float64) operand.Mem { return m.bits(math.Float32bits(float32(x))) }

// constants writes the data section.
func (m *machine) constants() {
	if len(m.splats) == 0 {
		return
	}
	m.StaticGlobal(m.lower() + "Splats")
	m.DataAttributes(attr.RODATA | attr.NOPTR)
	for _, s := range m.splats {
		for range m.lanes {
			m.AppendDatum(operand.U32(s))
		}
	}
}

// at is the memory at register p plus disp bytes.
func at(p reg.Register, disp int) operand.Mem { return operand.Mem{Base: p, Disp: disp} }

// element is number i (a register) of the slice at p, disp bytes further.
func element(p, i reg.Register, disp int) operand.Mem {
	return operand.Mem{Base: p, Index: i, Scale: 4, Disp: disp}
}

// lanesMask is a mask of the first n lanes, 0 <= n, all of them where n is larger. It destroys n.
func (m *machine) lanesMask(n reg.GPVirtual) reg.Register {
	if !m.wide {
		return m.lanesMask8(n)
	}
	k, ones := m.K(), m.GP64()
	limit := m.GP64()
	m.MOVQ(operand.I32(16), limit)
	m.CMPQ(n, limit)
	m.CMOVQGT(limit, n)
	m.MOVQ(operand.I32(-1), ones)
	m.BZHIQ(n, ones, ones)
	m.KMOVW(ones.As32(), k)
	return k
}

// lanesMask8 is lanesMask for AVX2: a vector whose lanes are all ones or zero.
func (m *machine) lanesMask8(n reg.GPVirtual) reg.Register {
	v := m.YMM()
	m.VMOVD(n.As32(), v.AsX())
	m.VPBROADCASTD(v.AsX(), v)
	m.VPCMPGTD(m.iota(), v, v)
	return v
}

// iota is a vector in memory that counts 0, 1, 2, ...
func (m *machine) iota() operand.Mem {
	m.counts = true
	return operand.NewDataAddr(operand.NewStaticSymbol(m.lower()+"Iota"), 0)
}

// count writes the data of iota.
func (m *machine) count() {
	if !m.counts {
		return
	}
	m.StaticGlobal(m.lower() + "Iota")
	m.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range m.lanes {
		m.AppendDatum(operand.U32(uint32(i)))
	}
}

// loadMasked makes v the lanes of src in mask k, zero elsewhere.
func (m *machine) loadMasked(src operand.Mem, k, v reg.Register) {
	if m.wide {
		m.VMOVUPS_Z(src, k, v)
	} else {
		m.VMASKMOVPS(src, k, v)
	}
}

// storeMasked writes the lanes of v in mask k.
func (m *machine) storeMasked(v, k reg.Register, dst operand.Mem) {
	if m.wide {
		m.VMOVUPS(v, k, dst)
	} else {
		m.VMASKMOVPS(v, k, dst)
	}
}

// imm is a constant operand.
func imm(n int) operand.I32 { return operand.I32(n) }
