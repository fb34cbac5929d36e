package cpu

import "peft/tensor/internal/backend"

// A move copies, adds or sums rows.
type move struct {
	k        *kernels
	dst, src view
	idx      []int32
	scale    []float32
	beta     float32
	share    int
}

// factor is scale[i], or 1 without scales.
func (m *move) factor(i int) float32 {
	if m.scale == nil {
		return 1
	}
	return m.scale[i]
}

// run cuts a move into shares of n rows of dst.
func (b *Backend) move(m move, n int) (move, int) {
	m.k = b.kernels
	m.share = max(1, 4*stride/max(m.dst.cols, 1))
	return m, blocks(n, m.share)
}

// GatherRows makes row i of dst row idx[i] of src, times scale[i], + beta·dst; zeros for a negative index.
func (b *Backend) GatherRows(dst, src backend.Mat, idx []int32, scale []float32, beta float64) {
	m, n := b.move(move{dst: see(dst), src: see(src), idx: idx, scale: scale, beta: float32(beta)}, dst.Rows)
	run(b, n, gatherRows(m))
}

// gatherRows is GatherRows.
type gatherRows move

// chunk gathers a share of the rows.
func (g *gatherRows) chunk(w *worker, c int) {
	m, cols := (*move)(g), g.dst.cols
	if cols == 0 {
		return
	}
	for i := c * g.share; i < min((c+1)*g.share, g.dst.rows); i++ {
		from := int(g.idx[i])
		switch {
		case from >= 0 && g.dst.rowwise():
			g.k.axpby(g.dst.row(i, 0, cols, nil), g.src.row(from, 0, cols, w.floats(slotX, cols)), m.factor(i), g.beta)
		case from >= 0:
			out := w.floats(slotOut, cols)
			g.k.axpby(out, g.src.row(from, 0, cols, w.floats(slotX, cols)), m.factor(i), 0)
			g.k.store(g.dst, i, 0, out, g.beta)
		case g.beta == 0:
			out := w.floats(slotOut, cols)
			clear(out)
			g.dst.put(i, 0, out)
		}
	}
}

// ScatterRows adds row i of src, times scale[i], to row idx[i] of dst.
func (b *Backend) ScatterRows(dst, src backend.Mat, idx []int32, scale []float32) {
	m, n := b.move(move{dst: see(dst), src: see(src), idx: idx, scale: scale}, dst.Rows)
	if want := len(b.team.helpers) + 1; n > want { // each share looks through all indices
		n = want
		m.share = blocks(dst.Rows, n)
	}
	run(b, n, scatterRows(m))
}

// scatterRows is ScatterRows: a share of dst's rows takes what is theirs, in the order of src.
type scatterRows move

// chunk adds to a share of the rows.
func (s *scatterRows) chunk(w *worker, c int) {
	m, cols := (*move)(s), s.dst.cols
	if cols == 0 {
		return
	}
	for i, to := range s.idx {
		if int(to) < c*s.share || int(to) >= (c+1)*s.share {
			continue
		}
		src := s.src.row(i, 0, cols, w.floats(slotX, cols))
		if s.dst.rowwise() {
			s.k.axpby(s.dst.row(int(to), 0, cols, nil), src, m.factor(i), 1)
			continue
		}
		out := w.floats(slotOut, cols)
		s.k.axpby(out, src, m.factor(i), 0)
		s.k.store(s.dst, int(to), 0, out, 1)
	}
}

// SegmentSum makes row s of dst the sum of rows [start[s], start[s+1]) of x, times scale[s], + beta·dst.
func (b *Backend) SegmentSum(dst, x backend.Mat, start []int32, scale []float32, beta float64) {
	m := move{k: b.kernels, dst: see(dst), src: see(x), idx: start, scale: scale, beta: float32(beta), share: 1}
	run(b, dst.Rows, segmentSum(m))
}

// segmentSum is SegmentSum.
type segmentSum move

// chunk sums one segment.
func (s *segmentSum) chunk(w *worker, c int) {
	m, cols := (*move)(s), s.dst.cols
	if cols == 0 {
		return
	}
	out := w.floats(slotOut, cols)
	clear(out)
	for i := int(s.idx[c]); i < int(s.idx[c+1]); i++ {
		s.k.axpby(out, s.src.row(i, 0, cols, w.floats(slotX, cols)), 1, 1)
	}
	s.k.axpby(out, out, m.factor(c), 0)
	s.k.store(s.dst, c, 0, out, s.beta)
}
