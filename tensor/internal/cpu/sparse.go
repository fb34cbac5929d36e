package cpu

import "peft/tensor/internal/backend"

// Products with few entries alone go through transposed operands: then an entry is one sweep over neighbouring numbers, whatever its place.

const (
	turnWidth   = 64   // columns that are turned together: with a panel's rows they fit in the first-level cache
	sparseWidth = 1024 // rows of the batch that are done together
	dotRows     = 16   // rows of a sparse matrix that are done together
)

// turned is the transposed copy of a matrix in a buffer of its own, which the caller frees.
func (b *Backend) turned(m backend.Mat) backend.Mat {
	t := backend.Mat{Rows: m.Cols, Cols: m.Rows, RowStride: spread(m.Rows), ColStride: 1}
	t.Buf = b.Alloc(max(t.Rows*t.RowStride, 1))
	run(b, blocks(m.Rows, b.kernels.tileCols), transpose{k: b.kernels, dst: see(t), src: see(m)})
	return t
}

// spread is how far rows of n numbers lie apart so that a column does not crowd into few sets of the cache.
func spread(n int) int { return (n+15)/16*16 + 16 }

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

// An amended weight has numbers added to some of its entries. Where there are many rows to multiply, they are added to the panels; else their products are, to the result.
type amended struct {
	*weight
	s, t *backend.Entries // of the matrix and of the transposed one
	v    backend.Mat
}

// Amend is W + S.
func (b *Backend) Amend(w backend.Weight, s, t *backend.Entries, v backend.Mat) backend.Weight {
	return &amended{w.(*weight), s, t, v}
}

// apart is the amended weight if w is one and the products of its entries with so many rows are to be added to the result: where they are fewer than the numbers of the panels that would have
// to be copied, and where those are rounded.
func (b *Backend) apart(w backend.Weight, rows int) (a *amended, yes bool) {
	a, ok := w.(*amended)
	return a, ok && (b.inPairs(a.weight) || rows*len(a.s.Col) < a.Rows*a.Cols)
}

// mulTApart is MulT for a weight whose entries are multiplied by themselves.
func (b *Backend) mulTApart(dst, x backend.Mat, a *amended, e backend.Epilogue) {
	b.MulT(dst, x, a.weight, backend.Epilogue{Low: e.Low, Bias: e.Bias})
	b.sparseMulT(dst, x, a.s, a.v)
	if e.Pre != nil {
		b.Axpby(*e.Pre, 1, dst, 0)
	}
	if e.Func != backend.Identity {
		b.Unary(e.Func, dst, dst)
	}
}

// amend adds entries to a panel of rows [l0, l1) and columns [j0, j1) of W + S or its transpose.
func (s *source) amend(k *kernels, panel []float32, l0, l1, j0, j1 int) {
	for j := j0; j < j1; j++ {
		for e := s.entries.Start[j]; e < s.entries.Start[j+1]; e++ {
			if l := int(s.entries.Col[e]); l >= l0 && l < l1 {
				panel[(l-l0)*k.tileCols+j-j0] += s.values.at(0, int(s.entries.Slot[e]))
			}
		}
	}
}

// sparseMulT makes dst += x·Sᵀ.
func (b *Backend) sparseMulT(dst, x backend.Mat, s *backend.Entries, v backend.Mat) {
	xt := b.turned(x)
	defer b.Free(xt.Buf)
	m := sparseMulT{k: b.kernels, dst: see(dst), xt: see(xt), v: see(v), s: s, groups: blocks(s.Rows, b.kernels.tileCols)}
	run(b, m.groups*blocks(x.Rows, sparseWidth), m)
}

// A sparseMulT is dst += x·Sᵀ.
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
	all := view{data: w.floats(slotOut, (i1-i0)*spread(n1-n0)), rows: i1 - i0, cols: n1 - n0, rs: spread(n1 - n0), cs: 1}
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
