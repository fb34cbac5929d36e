package main

import "fmt"

// packs writes the kernels that lay numbers out for tiles.
func packs(m *machine) {
	m.pack()
	m.stack()
	m.touch()
}

// pack writes the kernel that transposes four rows: blocks of 4×4 numbers in registers, then number by number.
func (m *machine) pack() {
	m.function("pack4", "func(dst, src []float32, cols, stride int)", fmt.Sprintf("makes dst[j·%d + i] = src[i·stride + j] for i < 4, j < cols.", tileCols))
	dst, n, stride := m.base("dst"), m.arg("cols"), m.bytes("stride")
	rows := [4]*reg{m.base("src")}
	for i := 1; i < 4; i++ {
		rows[i] = m.integer()
		m.do("ADD %v, %v, %v", stride, rows[i-1], rows[i])
	}
	m.loop(n, 4, func() {
		var v [4]*reg
		for i, p := range rows {
			v[i] = m.vec()
			m.do("FMOVQ.P %v, %v", mem{p, 16}, v[i])
		}
		for j, c := range m.transpose(v) {
			m.do("FMOVQ %v, %v", c, mem{dst, 4 * tileCols * j})
		}
		m.do("ADD $%d, %v", 4*4*tileCols, dst)
	})
	m.loop(n, 1, func() {
		for i, p := range rows {
			v := m.vec()
			m.do("FMOVS.P %v, %v", mem{p, 4}, v)
			m.do("FMOVS %v, %v", v, mem{dst, 4 * i})
		}
		m.do("ADD $%d, %v", 4*tileCols, dst)
	})
	m.end()
}

// transpose is the columns of rows.
func (m *machine) transpose(r [4]*reg) [4]*reg {
	trn := func(code uint32, op, lanes string, a, b *reg) *reg {
		d := m.vec()
		m.word(code, fmt.Sprintf("%s v%%d.%s, v%%d.%s, v%%d.%s", op, lanes, lanes, lanes), d, a, b)
		return d
	}
	var even, odd [2]*reg // columns of pairs of rows
	for i := range even {
		even[i] = trn(0x4e802800, "trn1", "4s", r[2*i], r[2*i+1])
		odd[i] = trn(0x4e806800, "trn2", "4s", r[2*i], r[2*i+1])
	}
	return [4]*reg{
		trn(0x4ec02800, "trn1", "2d", even[0], even[1]), trn(0x4ec02800, "trn1", "2d", odd[0], odd[1]),
		trn(0x4ec06800, "trn2", "2d", even[0], even[1]), trn(0x4ec06800, "trn2", "2d", odd[0], odd[1]),
	}
}

// stack writes the kernel that copies short rows.
func (m *machine) stack() {
	m.function("stack", "func(dst, src []float32, rows, cols, stride, pitch int)", "makes dst[i·pitch + j] = src[i·stride + j] for i < rows, j < cols, and 0 for cols <= j < pitch, a multiple of 4.")
	dst, src, rows, cols, stride, pitch := m.base("dst"), m.base("src"), m.arg("rows"), m.arg("cols"), m.bytes("stride"), m.arg("pitch")
	p, left, room, zero := m.integer(), m.integer(), m.integer(), m.zeros(1)[0]
	m.loop(rows, 1, func() {
		m.do("MOVD %v, %v", src, p)
		m.do("MOVD %v, %v", cols, left)
		m.do("MOVD %v, %v", pitch, room)
		m.loop(left, lanes, func() {
			v := m.vec()
			m.do("FMOVQ.P %v, %v", mem{p, 16}, v)
			m.do("FMOVQ.P %v, %v", v, mem{dst, 16})
			m.do("SUB $%d, %v", lanes, room)
		})
		m.do("SUB %v, %v", left, room)
		m.loop(left, 1, func() { m.copyOne(p, dst) })
		m.fill(zero, dst, room)
		m.do("ADD %v, %v", stride, src)
	})
	m.end()
}

// copyOne copies a number and moves on.
func (m *machine) copyOne(src, dst *reg) {
	v := m.vec()
	m.do("FMOVS.P %v, %v", mem{src, 4}, v)
	m.do("FMOVS.P %v, %v", v, mem{dst, 4})
}

// fill writes n zeros and moves on.
func (m *machine) fill(zero, dst, n *reg) {
	m.loop(n, lanes, func() { m.do("FMOVQ.P %v, %v", zero, mem{dst, 16}) })
	m.loop(n, 1, func() { m.do("FMOVS.P %v, %v", zero, mem{dst, 4}) })
}

// touch writes the kernel that fetches a matrix.
func (m *machine) touch() {
	m.function("touch", "func(src []float32, rows, cols, stride int)", "brings rows of cols numbers, stride apart, to the second-level cache.")
	src, rows, cols, stride := m.base("src"), m.arg("rows"), m.bytes("cols"), m.bytes("stride")
	p, left := m.integer(), m.integer()
	m.loop(rows, 1, func() {
		m.do("MOVD %v, %v", src, p)
		m.do("MOVD %v, %v", cols, left)
		m.loop(left, 1, func() {
			m.do("PRFM %v, PLDL2KEEP", mem{p, 0})
			m.do("ADD $%d, %v", line, p)
			m.do("SUB $%d, %v", line-1, left)
		})
		m.do("ADD %v, %v", stride, src)
	})
	m.end()
}
