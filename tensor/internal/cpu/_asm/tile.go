package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const tileSignature = "func(c []float32, cr int, a []float32, ar, ac int, b []float32, br, next int, depth, n int, alpha, beta float32, bias, ahead []float32, stride int)"

// linesAhead is how many cache lines of each row of the next tiles are fetched while a panel is multiplied.
const linesAhead = 2

// tiles writes a kernel for each number of rows of a tile: AVX-512 keeps 14 rows of two vectors in registers, AVX2 6.
func tiles(m *machine) {
	rows := 6
	if m.wide {
		rows = 14
	}
	for r := 1; r <= rows; r++ {
		m.tile(r)
	}
}

// A tile is a kernel that multiplies a number of rows by panels of two vectors, one panel after the other.
type tile struct {
	*machine
	rows    int
	b, c, n reg.GPVirtual
}

// tile writes the kernel for the given number of rows. Panels that are cut are done a vector at a time, the last one half a vector where AVX-512 needs no more.
func (m *machine) tile(rows int) {
	m.function(fmt.Sprint("tile", rows), tileSignature, fmt.Sprintf("multiplies %d rows by panels of columns, a tileFunc.", rows))
	t := tile{machine: m, rows: rows, b: m.base("b"), c: m.base("c"), n: m.integer("n")}
	panel, narrow, done := m.label("panel"), m.label("narrow"), m.label("done")
	full := 2 * m.lanes
	ahead := t.base("ahead")
	m.Label(panel)
	m.CMPQ(t.n, imm(full))
	m.JLT(operand.LabelRef(narrow))
	t.fetch(ahead)
	t.columns(make([]reg.Register, 2), 4)
	m.SUBQ(imm(full), t.n)
	m.JLE(operand.LabelRef(done))
	m.ADDQ(imm(4*full), t.c)
	step := m.integer("next")
	m.LEAQ(operand.Mem{Base: t.b, Index: step, Scale: 4}, t.b)
	m.JMP(operand.LabelRef(panel))

	m.Label(narrow)
	left := m.GP64()
	m.MOVQ(t.n, left)
	mask := m.lanesMask(left)
	if m.wide {
		t.half(mask, done)
	}
	t.columns([]reg.Register{mask}, 4)
	m.ADDQ(imm(4*m.lanes), t.c)
	m.ADDQ(imm(4*m.lanes), t.b)
	m.SUBQ(imm(m.lanes), t.n)
	m.JG(operand.LabelRef(narrow))
	m.Label(done)
	m.end()
}

// half does the last columns in vectors of half the size if that is enough, and goes on at done.
func (t *tile) half(mask reg.Register, done string) {
	wider := t.label("wider")
	t.CMPQ(t.n, imm(t.lanes/2))
	t.JG(operand.LabelRef(wider))
	t.halved = true
	t.columns([]reg.Register{mask}, 4)
	t.halved = false
	t.JMP(operand.LabelRef(done))
	t.Label(wider)
}

// fetch brings some lines of as many rows that will be read next to the second-level cache, and moves on along the rows.
func (t *tile) fetch(ahead reg.GPVirtual) {
	p, stride := t.GP64(), t.bytes("stride")
	t.MOVQ(ahead, p)
	for range t.rows {
		for l := range linesAhead {
			t.PREFETCHT1(at(p, 64*l))
		}
		t.ADDQ(stride, p)
	}
	t.ADDQ(imm(64*linesAhead), ahead)
}

// columns multiplies all rows by as many vectors of a panel as there are masks; a mask that is nil is full.
func (t *tile) columns(masks []reg.Register, unroll int) {
	sums := make([]reg.VecVirtual, t.rows*len(masks))
	for i := range sums {
		sums[i] = t.vec()
		t.zero(sums[i])
	}
	other, end := t.label("other"), t.label("summed")
	left, b, br := t.integer("depth"), t.GP64(), t.bytes("br")
	t.MOVQ(t.b, b)
	ac := t.bytes("ac")
	t.CMPQ(ac, imm(4))
	t.JNE(operand.LabelRef(other))
	t.accumulate(sums, masks, t.byRows(), left, b, br, unroll)
	t.JMP(operand.LabelRef(end))
	t.Label(other)
	t.accumulate(sums, masks, t.byColumns(ac), left, b, br, unroll)
	t.Label(end)
	t.write(sums, masks)
}

// accumulate adds the products of all depth to the sums, unroll steps at a time: what is not a multiplication competes with it for the ports of the processor.
func (t *tile) accumulate(sums []reg.VecVirtual, masks []reg.Register, a left, left, b, br reg.GPVirtual, unroll int) {
	panel := t.right(br, unroll)
	for _, steps := range []int{unroll, 1} {
		loop, next := t.label("depth"), t.label("rest")
		t.CMPQ(left, imm(steps))
		t.JLT(operand.LabelRef(next))
		t.Label(loop)
		for s := range steps {
			e := panel[s]
			e.Base = b
			t.step(sums, masks, a, s, e)
		}
		a.advance(steps)
		t.LEAQ(operand.Mem{Base: b, Index: br, Scale: uint8(steps)}, b)
		t.SUBQ(imm(steps), left)
		t.CMPQ(left, imm(steps))
		t.JGE(operand.LabelRef(loop))
		t.Label(next)
		if unroll == 1 {
			break
		}
	}
}

// right is where the first rows of a panel are.
func (t *tile) right(br reg.GPVirtual, n int) []operand.Mem {
	rows := []operand.Mem{{}, {Index: br, Scale: 1}, {Index: br, Scale: 2}}
	if n > 3 {
		three := t.GP64()
		t.LEAQ(operand.Mem{Base: br, Index: br, Scale: 2}, three)
		rows = append(rows, operand.Mem{Index: three, Scale: 1})
	}
	return rows
}

// step adds the products of one row of the panel, b.
func (t *tile) step(sums []reg.VecVirtual, masks []reg.Register, a left, s int, b operand.Mem) {
	columns := make([]reg.VecVirtual, len(masks))
	for v := range columns {
		columns[v] = t.vec()
		if masks[v] != nil {
			t.loadMasked(b.Offset(4*t.lanes*v), masks[v], columns[v])
		} else {
			t.VMOVUPS(b.Offset(4*t.lanes*v), columns[v])
		}
	}
	for i := range t.rows {
		if t.wide && len(masks) == 1 { // a register written for each multiplication would be one too many
			t.VFMADD231PS_BCST(a.element(i, s), columns[0], sums[i])
			continue
		}
		x := t.vec()
		t.VBROADCASTSS(a.element(i, s), x)
		for v := range columns {
			t.VFMADD231PS(x, columns[v], sums[i*len(masks)+v])
		}
	}
}

// A left is how a tile reads its left operand.
type left interface {
	// element is the number of row i, s steps from where it stands.
	element(i, s int) operand.Mem
	// advance moves it on.
	advance(steps int)
}

// byRows is a left operand whose rows are contiguous: it keeps the address of every third row.
type byRows struct {
	*tile
	bases []reg.GPVirtual
	ar    reg.GPVirtual
}

func (t *tile) byRows() *byRows {
	a := byRows{tile: t, ar: t.bytes("ar")}
	for i := 0; i < t.rows; i += 3 {
		if i == 0 {
			a.bases = append(a.bases, t.base("a"))
			continue
		}
		p := t.GP64()
		t.LEAQ(operand.Mem{Base: a.bases[len(a.bases)-1], Index: a.ar, Scale: 2}, p)
		t.ADDQ(a.ar, p)
		a.bases = append(a.bases, p)
	}
	return &a
}

func (a *byRows) element(i, s int) operand.Mem {
	e := at(a.bases[i/3], 4*s)
	if i%3 > 0 {
		e.Index, e.Scale = a.ar, uint8(i%3)
	}
	return e
}

func (a *byRows) advance(steps int) {
	for _, p := range a.bases {
		a.ADDQ(imm(4*steps), p)
	}
}

// byColumns is a left operand whose columns are contiguous.
type byColumns struct {
	*tile
	p, ac reg.GPVirtual
	at    int
}

func (t *tile) byColumns(ac reg.GPVirtual) *byColumns {
	return &byColumns{tile: t, p: t.base("a"), ac: ac}
}

func (a *byColumns) element(i, s int) operand.Mem {
	if s != a.at {
		a.ADDQ(a.ac, a.p)
		a.at = s
	}
	return at(a.p, 4*i)
}

func (a *byColumns) advance(int) {
	a.ADDQ(a.ac, a.p)
	a.at = 0
}

// addends are the vectors of the bias that belong to the panel, or zeros. The bias is as long as the row, so where n numbers are left of the row, n are left of it.
func (t *tile) addends(masks []reg.Register) []reg.VecVirtual {
	none := t.label("unbiased")
	sums := t.zeros(len(masks))
	bias, left := t.base("bias"), t.length("bias")
	t.TESTQ(left, left)
	t.JEQ(operand.LabelRef(none))
	t.SUBQ(t.n, left)
	for v, k := range masks {
		e := element(bias, left, 4*t.lanes*v)
		if k != nil {
			t.loadMasked(e, k, sums[v])
		} else {
			t.VMOVUPS(e, sums[v])
		}
	}
	t.Label(none)
	return sums
}

// write makes c = alpha·sums + bias + beta·c.
func (t *tile) write(sums []reg.VecVirtual, masks []reg.Register) {
	add, end := t.label("add"), t.label("written")
	c, cr := t.GP64(), t.bytes("cr")
	t.MOVQ(t.c, c)
	alpha, beta := t.spread("alpha"), t.spread("beta")
	bias := t.addends(masks)
	for i, s := range sums {
		t.VFMADD213PS(bias[i%len(masks)], alpha, s)
	}
	zero := t.XMM()
	t.VXORPS(zero, zero, zero)
	t.VUCOMISS(zero, beta.AsX())
	t.JNE(operand.LabelRef(add))
	t.rowsOf(sums, masks, c, cr, func(s reg.VecVirtual, k reg.Register, dst operand.Mem) { t.put(s, k, dst) })
	t.JMP(operand.LabelRef(end))
	t.Label(add)
	t.rowsOf(sums, masks, c, cr, func(s reg.VecVirtual, k reg.Register, dst operand.Mem) {
		old := alpha // no longer needed
		if k != nil {
			t.loadMasked(dst, k, old)
			t.VFMADD231PS(old, beta, s)
		} else {
			t.VFMADD231PS(dst, beta, s)
		}
		t.put(s, k, dst)
	})
	t.Label(end)
}

// rowsOf does f for all sums and their place in c, which it moves.
func (t *tile) rowsOf(sums []reg.VecVirtual, masks []reg.Register, c, cr reg.GPVirtual, f func(s reg.VecVirtual, k reg.Register, dst operand.Mem)) {
	for i := range t.rows {
		for v, k := range masks {
			f(sums[i*len(masks)+v], k, at(c, 4*t.lanes*v))
		}
		if i < t.rows-1 {
			t.ADDQ(cr, c)
		}
	}
}

// put stores a vector, or the part of it in mask k.
func (t *tile) put(s reg.VecVirtual, k reg.Register, dst operand.Mem) {
	if k != nil {
		t.storeMasked(s, k, dst)
	} else {
		t.VMOVUPS(s, dst)
	}
}
