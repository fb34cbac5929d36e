package cpu

import "peft/tensor/internal/backend"

// Products with few entries go through transposed operands: then an entry is one sweep over neighbouring numbers, whatever its place.

const (
	turnSide    = 16   // side of the squares in which a matrix is turned
	sparseRows  = 16   // rows of a sparse matrix that are done together
	sparseWidth = 1024 // rows of the batch that are done together
)

// turned is the transposed copy of a matrix in a buffer of its own, which the caller frees.
func (b *Backend) turned(m backend.Mat) backend.Mat {
	t := backend.Dense(b.Alloc(max(m.Rows*m.Cols, 1)), 0, m.Cols, m.Rows)
	run(b, blocks(m.Rows, turnSide), transpose{dst: see(t), src: see(m)})
	return t
}

// transpose copies a matrix to its transposed one.
type transpose struct{ dst, src view }

// chunk turns some rows of the source, square by square.
func (t *transpose) chunk(_ *worker, c int) {
	i0, i1 := c*turnSide, min((c+1)*turnSide, t.src.rows)
	for j0 := 0; j0 < t.src.cols; j0 += turnSide {
		for j := j0; j < min(j0+turnSide, t.src.cols); j++ {
			for i := i0; i < i1; i++ {
				t.dst.data[j*t.dst.rs+i] = t.src.data[i*t.src.rs+j*t.src.cs]
			}
		}
	}
}

// SparseMulT makes dst += x·Sᵀ.
func (b *Backend) SparseMulT(dst, x backend.Mat, s *backend.Entries, v backend.Mat) {
	xt := b.turned(x)
	defer b.Free(xt.Buf)
	m := sparseMulT{k: b.kernels, dst: see(dst), xt: see(xt), v: see(v), s: s, groups: blocks(s.Rows, sparseRows)}
	run(b, m.groups*blocks(x.Rows, sparseWidth), m)
}

// sparseMulT is SparseMulT.
type sparseMulT struct {
	k          *kernels
	dst, xt, v view
	s          *backend.Entries
	groups     int
}

// chunk makes some columns of some rows of dst.
func (m *sparseMulT) chunk(w *worker, c int) {
	n0 := c / m.groups * sparseWidth
	n1 := min(n0+sparseWidth, m.dst.rows)
	i0 := c % m.groups * sparseRows
	i1 := min(i0+sparseRows, m.s.Rows)
	if m.s.Start[i0] == m.s.Start[i1] {
		return
	}
	sums := w.floats(slotOut, (i1-i0)*(n1-n0))
	for i := i0; i < i1; i++ {
		sum := sums[(i-i0)*(n1-n0) : (i-i0+1)*(n1-n0)]
		clear(sum)
		for e := m.s.Start[i]; e < m.s.Start[i+1]; e++ {
			m.k.axpby(sum, m.xt.row(int(m.s.Col[e]), n0, n1, nil), m.v.at(0, int(m.s.Slot[e])), 1)
		}
	}
	for n := n0; n < n1; n++ {
		for i := i0; i < i1; i++ {
			m.dst.data[n*m.dst.rs+i*m.dst.cs] += sums[(i-i0)*(n1-n0)+n-n0]
		}
	}
}

// SparseDot makes the entries of dyᵀ·x.
func (b *Backend) SparseDot(dv, dy, x backend.Mat, s *backend.Entries, beta float64) {
	xt, dyt := b.turned(x), b.turned(dy)
	defer b.Free(xt.Buf)
	defer b.Free(dyt.Buf)
	run(b, blocks(s.Rows, sparseRows), sparseDot{k: b.kernels, dv: see(dv), xt: see(xt), dyt: see(dyt), s: s, beta: float32(beta), n: x.Rows})
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
	for i := c * sparseRows; i < min((c+1)*sparseRows, m.s.Rows); i++ {
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
