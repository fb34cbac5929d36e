package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	pairsSignature = "func(c []float32, cr int, a []uint32, ar int, b []uint32, next, depth, rows, n int, beta float32, bias, sums []float32)"
	pairsCols      = 32            // columns of a panel
	pairsPitch     = 4 * pairsCols // bytes between rows of a panel, and of sums
	roundAhead     = 4             // rows that are fetched ahead while rows are rounded, one strip's last rows those of the next
)

// dots writes what AVX512_BF16 can do: rounding to pairs, and a kernel for some numbers of rows.
func dots(m *machine) {
	m.vendor()
	m.round()
	m.turnPairs()
	for _, rows := range []int{1, 4, 14} {
		m.dot(rows)
	}
}

// vendor writes what asks the processor who has made it.
func (m *machine) vendor() {
	m.Function("vendor")
	m.SignatureExpr("func() uint32")
	m.Attributes(attr.NOSPLIT)
	m.Doc("vendor is the first four letters of the processor's maker, the first one lowest.")
	m.XORL(reg.EAX, reg.EAX)
	m.XORL(reg.ECX, reg.ECX)
	m.CPUID()
	m.Store(reg.EBX, m.ReturnIndex(0))
	m.RET()
}

// round writes the kernel that rounds rows to pairs of bfloat16.
func (m *machine) round() {
	m.function("roundPairs", "func(dst []uint32, src []float32, rows, cols, stride, pitch int)",
		"rounds rows of cols numbers, stride apart, to pairs of bfloat16, pitch pairs apart, and fills them up with zeros to a multiple of 16 pairs.")
	dst, src, rows, cols, stride, pitch := m.base("dst"), m.base("src"), m.integer("rows"), m.integer("cols"), m.bytes("stride"), m.bytes("pitch")
	row, whole, rest, next, done := m.label("row"), m.label("whole"), m.label("rest"), m.label("next"), m.label("done")
	m.TESTQ(rows, rows)
	m.JLE(operand.LabelRef(done))
	last, upper := m.GP64(), m.GP64()
	m.MOVQ(cols, last)
	m.ANDQ(imm(31), last)
	m.LEAQ(at(last, -16), upper)
	low, high := m.lanesMask(last), m.lanesMaskSigned(upper)
	m.Label(row)
	from, to, left := m.GP64(), m.GP64(), m.GP64()
	m.MOVQ(src, from)
	m.MOVQ(dst, to)
	m.MOVQ(cols, left)
	m.Label(whole)
	m.SUBQ(imm(32), left)
	m.JLT(operand.LabelRef(rest))
	for line := range 2 {
		m.PREFETCHT0(operand.Mem{Base: from, Index: stride, Scale: roundAhead, Disp: 64 * line})
	}
	m.VMOVUPS(at(from, 0), reg.Z0)
	m.VMOVUPS(at(from, 64), reg.Z1)
	m.narrow(to)
	m.ADDQ(imm(128), from)
	m.ADDQ(imm(64), to)
	m.JMP(operand.LabelRef(whole))
	m.Label(rest)
	m.CMPQ(left, imm(-32))
	m.JEQ(operand.LabelRef(next))
	m.loadMasked(at(from, 0), low, reg.Z0)
	m.loadMasked(at(from, 64), high, reg.Z1)
	m.narrow(to)
	m.Label(next)
	m.ADDQ(stride, src)
	m.ADDQ(pitch, dst)
	m.DECQ(rows)
	m.JNZ(operand.LabelRef(row))
	m.Label(done)
	m.end()
}

// turnPairs writes the transposition of a square of 32 numbers on a side, of pairs. A pair of rows of the one square holds in neighbouring words what becomes neighbouring pairs of columns of the
// other: the halves of two words change places, and then squares of eight double words on a side are transposed.
func (m *machine) turnPairs() {
	m.function("turnPairs", "func(dst, src []uint32)", "transposes a square of 32 numbers on a side, 16 rows of 32 pairs.")
	dst, src := m.base("dst"), m.base("src")
	order := m.ZMM()
	m.VBROADCASTI32X4(m.swapHalves(), order)
	for _, right := range []int{0, 1} {
		for _, low := range []int{0, 1} {
			var rows [8]reg.VecVirtual
			for i := range rows {
				rows[i] = m.ZMM()
				m.VMOVDQU32(at(src, pairsPitch*(8*low+i)+64*right), rows[i])
				m.VPSHUFB(order, rows[i], rows[i])
			}
			for i, row := range m.transposed(rows) {
				m.VMOVDQU32(row, at(dst, pairsPitch*(8*right+i)+64*low))
			}
		}
	}
	m.end()
}

// swapHalves is the order of bytes by which of two words (a, b), (c, d) become (a, c), (b, d).
func (m *machine) swapHalves() operand.Mem {
	halves := m.StaticGlobal("swapHalves")
	m.DataAttributes(attr.RODATA | attr.NOPTR)
	m.AppendDatum(operand.U64(0x0706_0302_0504_0100))
	m.AppendDatum(operand.U64(0x0f0e_0b0a_0d0c_0908))
	return halves
}

// transposed is the transposition of a square of double words.
func (m *machine) transposed(rows [8]reg.VecVirtual) (out [8]reg.VecVirtual) {
	var even, odd [4]reg.VecVirtual
	for i := range even {
		even[i], odd[i] = m.ZMM(), m.ZMM()
		m.VPUNPCKLQDQ(rows[2*i+1], rows[2*i], even[i])
		m.VPUNPCKHQDQ(rows[2*i+1], rows[2*i], odd[i])
	}
	for i, t := range [][4]reg.VecVirtual{even, odd} {
		var parts [4]reg.VecVirtual
		for p, choice := range []operand.Op{operand.U8(0x88), operand.U8(0xdd)} {
			for half := range 2 {
				parts[2*p+half] = m.ZMM()
				m.VSHUFI64X2(choice, t[2*half+1], t[2*half], parts[2*p+half])
			}
			for q, choice := range []operand.Op{operand.U8(0x88), operand.U8(0xdd)} {
				v := m.ZMM()
				m.VSHUFI64X2(choice, parts[2*p+1], parts[2*p], v)
				out[i+2*p+4*q] = v
			}
		}
	}
	return out
}

// narrow stores the numbers of Z0 and Z1 as pairs.
func (m *machine) narrow(to reg.GPVirtual) {
	m.write(vcvtne2ps2bf16, "Z0, Z1, Z2", vcvtne2ps2bf16.evexRegister(2, 1, 0))
	m.VMOVUPS(reg.Z2, at(to, 0))
}

// In the kernels of products these registers are taken: panels in DI, columns left in R12, the result in R13, numbers of the bias that are done in R11.

// products writes what the kernels of products share: for each panel, sums makes the sums in memory at SI, and they are added to the result.
func (m *machine) products(name, doc string, begin, sums, finish func()) {
	m.Function(name + m.set())
	m.Attributes(attr.NOSPLIT)
	m.SignatureExpr(pairsSignature)
	m.Doc(name + m.set() + " " + doc)
	m.Pragma("noescape")
	panel := m.label("panel")
	begin()
	m.Load(m.Param("b").Base(), reg.RDI)
	m.Load(m.Param("n"), reg.R12)
	m.Load(m.Param("c").Base(), reg.R13)
	m.XORQ(reg.R11, reg.R11)
	m.Label(panel)
	sums()
	m.merge()
	m.Load(m.Param("next"), reg.RAX)
	m.LEAQ(operand.Mem{Base: reg.RDI, Index: reg.RAX, Scale: 4}, reg.RDI)
	m.ADDQ(imm(4*pairsCols), reg.R13)
	m.ADDQ(imm(4*pairsCols), reg.R11)
	m.SUBQ(imm(pairsCols), reg.R12)
	m.JG(operand.LabelRef(panel))
	finish()
	m.end()
}

// merge makes c = sums + bias + beta·c for the columns of a panel.
func (m *machine) merge() {
	unbiased, add, set, end := m.label("unbiased"), m.label("add"), m.label("set"), m.label("merged")
	m.MOVQ(imm(pairsCols), reg.RAX)
	m.CMPQ(reg.R12, reg.RAX)
	m.CMOVQLT(reg.R12, reg.RAX)
	m.MOVQ(imm(-1), reg.RBX)
	m.BZHIQ(reg.RAX, reg.RBX, reg.RBX)
	m.KMOVW(reg.EBX, reg.K1)
	m.SHRQ(operand.U8(16), reg.RBX)
	m.KMOVW(reg.EBX, reg.K2)
	m.zero(reg.Z2)
	m.zero(reg.Z3)
	m.Load(m.Param("bias").Len(), reg.RAX)
	m.TESTQ(reg.RAX, reg.RAX)
	m.JEQ(operand.LabelRef(unbiased))
	m.Load(m.Param("bias").Base(), reg.RAX)
	m.ADDQ(reg.R11, reg.RAX)
	m.VMOVUPS_Z(at(reg.RAX, 0), reg.K1, reg.Z2)
	m.VMOVUPS_Z(at(reg.RAX, 64), reg.K2, reg.Z3)
	m.Label(unbiased)
	m.Load(m.Param("sums").Base(), reg.RSI)
	m.Load(m.Param("rows"), reg.RCX)
	m.Load(m.Param("cr"), reg.RDX)
	m.SHLQ(operand.U8(2), reg.RDX)
	m.MOVQ(reg.R13, reg.RBX)
	beta, err := m.Param("beta").Resolve()
	if err != nil {
		panic(err)
	}
	m.VBROADCASTSS(beta.Addr, reg.Z4)
	m.VXORPS(reg.X5, reg.X5, reg.X5)
	m.VUCOMISS(reg.X5, reg.X4)
	m.JNE(operand.LabelRef(add))
	for _, loop := range []string{set, add} {
		m.Label(loop)
		m.VADDPS(at(reg.RSI, 0), reg.Z2, reg.Z0)
		m.VADDPS(at(reg.RSI, 64), reg.Z3, reg.Z1)
		if loop == add {
			m.VMOVUPS_Z(at(reg.RBX, 0), reg.K1, reg.Z5)
			m.VMOVUPS_Z(at(reg.RBX, 64), reg.K2, reg.Z6)
			m.VFMADD231PS(reg.Z5, reg.Z4, reg.Z0)
			m.VFMADD231PS(reg.Z6, reg.Z4, reg.Z1)
		}
		m.VMOVUPS(reg.Z0, reg.K1, at(reg.RBX, 0))
		m.VMOVUPS(reg.Z1, reg.K2, at(reg.RBX, 64))
		m.ADDQ(imm(pairsPitch), reg.RSI)
		m.ADDQ(reg.RDX, reg.RBX)
		m.DECQ(reg.RCX)
		m.JNZ(operand.LabelRef(loop))
		if loop == set {
			m.JMP(operand.LabelRef(end))
		}
	}
	m.Label(end)
}

// dot writes the kernel that keeps so many rows of sums in registers. All of them are computed; those that are asked for are added to the result.
func (m *machine) dot(rows int) {
	bases := []gpr{ax, bx, cx, dx, si}[:(rows+2)/3]
	registers := []reg.GPPhysical{ax: reg.RAX, cx: reg.RCX, dx: reg.RDX, bx: reg.RBX, si: reg.RSI}
	sums := func() {
		m.Load(m.Param("ar"), reg.R8)
		m.SHLQ(operand.U8(2), reg.R8)
		for i, r := range bases {
			if i == 0 {
				m.Load(m.Param("a").Base(), reg.RAX)
				continue
			}
			m.LEAQ(operand.Mem{Base: registers[bases[i-1]], Index: reg.R8, Scale: 2}, registers[r])
			m.ADDQ(reg.R8, registers[r])
		}
		for i := range 2 * rows {
			m.zero(zmm(i))
		}
		m.Load(m.Param("depth"), reg.R9)
		m.MOVQ(reg.RDI, reg.R10)
		loop := m.label("depth")
		m.Label(loop)
		for l := range 4 {
			m.VMOVUPS(at(reg.R10, pairsPitch*l), reg.Z30)
			m.VMOVUPS(at(reg.R10, pairsPitch*l+64), reg.Z31)
			for i := range rows {
				e := place{base: bases[i/3], index: none, disp: 4 * l}
				if i%3 > 0 {
					e.index, e.scale = r8, i%3
				}
				for v := range 2 {
					m.write(vdpbf16ps, fmt.Sprintf("%v, Z%d, Z%d", e, 30+v, 2*i+v), vdpbf16ps.evex(2*i+v, 30+v, e))
				}
			}
		}
		for _, r := range bases {
			m.ADDQ(imm(16), registers[r])
		}
		m.ADDQ(imm(4*pairsPitch), reg.R10)
		m.SUBQ(imm(4), reg.R9)
		m.JG(operand.LabelRef(loop))
		m.Load(m.Param("sums").Base(), reg.RSI)
		for i := range 2 * rows {
			m.VMOVUPS(zmm(i), at(reg.RSI, 64*i))
		}
	}
	m.products(fmt.Sprintf("pairs%d", rows), fmt.Sprintf("multiplies %d rows, a pairsFunc.", rows), func() {}, sums, func() {})
}

func zmm(i int) reg.VecPhysical {
	return []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13,
		reg.Z14, reg.Z15, reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27}[i]
}

// matrices writes the kernel for AMX: sums of 32 rows and 32 columns in tiles 0 to 3, two tiles of the left operand, two of a panel. Tiles are set up and given back within a call, as the
// goroutine may go on on another thread.
func matrices(m *machine) {
	m.StaticGlobal("tiles")
	m.DataAttributes(attr.RODATA | attr.NOPTR)
	m.AppendDatum(operand.U64(1)) // palette 1
	m.AppendDatum(operand.U64(0))
	for _, word := range []operand.U64{0x0040_0040_0040_0040, 0x0040_0040_0040_0040, 0, 0, 0x1010_1010_1010_1010, 0} { // 64 bytes a row, 16 rows: for tiles 0 to 7
		m.AppendDatum(word)
	}
	begin := func() {
		m.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol("tiles"), 0), reg.RAX)
		m.write(ldtilecfg, "(AX)", ldtilecfg.vex(0, place{base: ax, index: none}))
		m.MOVQ(imm(pairsPitch), reg.R9)
	}
	sums := func() {
		few, end := m.label("few"), m.label("summed")
		m.Load(m.Param("a").Base(), reg.RSI)
		m.Load(m.Param("ar"), reg.R8)
		m.SHLQ(operand.U8(2), reg.R8)
		m.Load(m.Param("depth"), reg.RCX)
		m.MOVQ(reg.RDI, reg.RDX)
		m.Load(m.Param("sums").Base(), reg.RBX)
		m.Load(m.Param("rows"), reg.RAX)
		m.CMPQ(reg.RAX, imm(16))
		m.JLE(operand.LabelRef(few))
		m.matrix(2)
		m.JMP(operand.LabelRef(end))
		m.Label(few)
		m.matrix(1)
		m.Label(end)
	}
	finish := func() { m.write(tilerelease, "", tilerelease.vexRegister(0, 0, 0)) }
	m.products("pairs", "multiplies up to 32 rows, a pairsFunc.", begin, sums, finish)
}

// matrix makes the sums of so many tiles of rows at BX.
func (m *machine) matrix(tall int) {
	for t := range 2 * tall {
		m.write(tilezero, fmt.Sprint("T", t), tilezero.vexRegister(t, 0, 0))
	}
	if tall == 2 {
		m.MOVQ(reg.R8, reg.R10)
		m.SHLQ(operand.U8(4), reg.R10)
		m.ADDQ(reg.RSI, reg.R10)
	}
	load := func(t int, p place) { m.write(tileloadd, fmt.Sprintf("%v, T%d", p, t), tileloadd.vex(t, p)) }
	loop := m.label("depth")
	m.Label(loop)
	load(4, place{base: si, index: r8, scale: 1})
	load(6, place{base: dx, index: r9, scale: 1})
	load(7, place{base: dx, index: r9, scale: 1, disp: 64})
	if tall == 2 {
		load(5, place{base: r10, index: r8, scale: 1})
	}
	for t := range 2 * tall {
		m.write(tdpbf16ps, fmt.Sprintf("T%d, T%d, T%d", 6+t%2, 4+t/2, t), tdpbf16ps.vexRegister(t, 4+t/2, 6+t%2))
	}
	m.ADDQ(imm(64), reg.RSI)
	if tall == 2 {
		m.ADDQ(imm(64), reg.R10)
	}
	m.ADDQ(imm(16*pairsPitch), reg.RDX)
	m.SUBQ(imm(16), reg.RCX)
	m.JG(operand.LabelRef(loop))
	for t := range 2 * tall {
		p := place{base: bx, index: r9, scale: 1, disp: t/2*16*pairsPitch + t%2*64}
		m.write(tilestored, fmt.Sprintf("T%d, %v", t, p), tilestored.vex(t, p))
	}
}
