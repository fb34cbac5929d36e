package cpu

import "peft/tensor/internal/backend"

// Products with few entries go through transposed operands: then an entry is one sweep over neighbouring numbers, whatever its place.

const (
	turnWidth   = 64   // columns that are turned together: with a panel's rows they fit in the first-level cache
	sparseWidth = 1024 // rows of the batch that are done together
	dotRows     = 16   // rows of a sparse matrix that are done together
)

// turned is the transposed copy of a matrix in a buffer of its own, which the caller frees.
func (b *Backend) turned(m backend.Mat) backend.Mat {
	t := backend.Mat{Rows: m.Cols, Cols: m.Rows, RowStride: apart(m.Rows), ColStride: 1}
	t.Buf = b.Alloc(max(t.Rows*t.RowStride, 1))
	run(b, blocks(m.Rows, b.kernels.tileCols), transpose{k: b.kernels, dst: see(t), src: see(m)})
	return t
}

// apart is how far rows of n numbers lie apart so that a column does not crowd into few sets of the cache.
func apart(n int) int { return (n+15)/16*16 + 16 }

// transpose copies a matrix to its transposed one.
type transpose struct {
	k        *kernels
	dst, src view
}

// chunk turns as many rows of the source as a panel has columns.
func (t *transpose) chunk(w *worker, c int) {
	side := t.k.tileCols
	i0, i1 := c*side, min((c+1)*side, t.src.rows)
	for j0 := 0; j0 < t.src.cols; j0 += turnWidth {
		j1 := min(j0+turnWidth, t.src.cols)
		panel := t.k.turn(w, t.src.window(i0, i1, j0, j1))
		for j := j0; j < j1; j++ {
			copy(t.dst.row(j, i0, i1, nil), panel[(j-j0)*side:])
		}
	}
}

// turn is a panel of at most tileCols rows of a matrix: number j·tileCols + i is element (i, j).
func (k *kernels) turn(w *worker, v view) []float32 {
	panel := w.floats(slotX, v.cols*k.tileCols)
	switch {
	case v.none():
	case v.cs == 1:
		k.pack(panel, v.data, v.rows, v.cols, v.rs)
	default:
		for i := range v.rows {
			for j := range v.cols {
				panel[j*k.tileCols+i] = v.at(i, j)
			}
		}
	}
	return panel
}

// SparseMulT makes dst += x·Sᵀ.
func (b *Backend) SparseMulT(dst, x backend.Mat, s *backend.Entries, v backend.Mat) {
	xt := b.turned(x)
	defer b.Free(xt.Buf)
	m := sparseMulT{k: b.kernels, dst: see(dst), xt: see(xt), v: see(v), s: s, groups: blocks(s.Rows, b.kernels.tileCols)}
	run(b, m.groups*blocks(x.Rows, sparseWidth), m)
}

// sparseMulT is SparseMulT.
type sparseMulT struct {
	k          *kernels
	dst, xt, v view
	s          *backend.Entries
	groups     int
}

// chunk makes some rows of some columns of dst: as many columns as a panel has.
func (m *sparseMulT) chunk(w *worker, c int) {
	n0 := c / m.groups * sparseWidth
	n1 := min(n0+sparseWidth, m.dst.rows)
	i0 := c % m.groups * m.k.tileCols
	i1 := min(i0+m.k.tileCols, m.s.Rows)
	if m.s.Start[i0] == m.s.Start[i1] {
		return
	}
	panel := m.k.turn(w, m.sums(w, i0, i1, n0, n1))
	for n := n0; n < n1; n++ {
		m.k.store(m.dst, n, i0, panel[(n-n0)*m.k.tileCols:][:i1-i0], 1)
	}
}

// sums are rows i0 to i1 of S·xᵀ, for some rows of x.
func (m *sparseMulT) sums(w *worker, i0, i1, n0, n1 int) view {
	all := view{data: w.floats(slotOut, (i1-i0)*apart(n1-n0)), rows: i1 - i0, cols: n1 - n0, rs: apart(n1 - n0), cs: 1}
	for i := i0; i < i1; i++ {
		sum := all.row(i-i0, 0, n1-n0, nil)
		clear(sum)
		for e := m.s.Start[i]; e < m.s.Start[i+1]; e++ {
			m.k.axpby(sum, m.xt.row(int(m.s.Col[e]), n0, n1, nil), m.v.at(0, int(m.s.Slot[e])), 1)
		}
	}
	return all
}

// SparseDot makes the entries of dyᵀ·x.
func (b *Backend) SparseDot(dv, dy, x backend.Mat, s *backend.Entries, beta float64) {
	xt, dyt := b.turned(x), b.turned(dy)
	defer b.Free(xt.Buf)
	defer b.Free(dyt.Buf)
	run(b, blocks(s.Rows, dotRows), sparseDot{k: b.kernels, dv: see(dv), xt: see(xt), dyt: see(dyt), s: s, beta: float32(beta), n: x.Rows})
}

// sparseDot is SparseDot.
type sparseDot struct {
	k           *kernels
	dv, xt, dyt view
	s           *backend.Entries
	beta        float32
	n           int
}

// chunk makes the entries of some rows.
func (m *sparseDot) chunk(_ *worker, c int) {
	for i := c * dotRows; i < min((c+1)*dotRows, m.s.Rows); i++ {
		for e := m.s.Start[i]; e < m.s.Start[i+1]; e++ {
			slot := int(m.s.Slot[e])
			sum := m.k.dot(m.dyt.row(i, 0, m.n, nil), m.xt.row(int(m.s.Col[e]), 0, m.n, nil))
			if m.beta != 0 {
				sum += m.beta * m.dv.at(0, slot)
			}
			m.dv.set(0, slot, sum)
		}
	}
}
