package cpu

import "peft/tensor/internal/backend"

// A source is the right operand of a product: a matrix in memory, or a weight (transposed or not) that is widened as it is packed.
type source struct {
	view
	w           *weight
	packed      []float32 // all panels, by blocks of depth, where they have been made before
	turned      []float32 // all panels of the transposed matrix, of which those of this one are made
	pairs       []uint32  // the same of pairs, where the product is one of bfloat16 numbers
	turnedPairs []uint32
	entries     *backend.Entries // of the transposed matrix, to which values are added; nil if there are none
	values      view
}

// sourceOf is W, or Wᵀ, as a right operand.
func sourceOf(w *weight, transposed bool) source {
	f, v := w.numbers.Load(), view{rows: w.Rows, cols: w.Cols, rs: w.Cols, cs: 1}
	if v.data = f.rows; transposed {
		v = v.t()
	}
	switch {
	case f.rows != nil:
		return source{view: v}
	case transposed:
		return source{view: v, w: w, packed: f.panels, pairs: f.pairs}
	}
	return source{view: v, w: w, turned: f.panels, turnedPairs: f.pairs}
}

// ready reports whether all panels are there.
func (s *source) ready() bool { return s.packed != nil || s.pairs != nil }

// halves reports whether the product is one of bfloat16 numbers.
func (s *source) halves() bool { return s.pairs != nil || s.turnedPairs != nil }

// panels is rows [l0, l1), a block of depth, and columns [j0, j1) as tiles read them, for a left operand of the given number of rows: rows are br apart, panels next. Those that are made here are in
// the slot.
func (s *source) panels(k *kernels, w *worker, in slot, l0, l1, j0, j1, rows int) (data []float32, br, next int) {
	depth := l1 - l0
	switch {
	case s.packed != nil:
		at := l0*blocks(s.cols, k.tileCols)*k.tileCols + j0*depth
		return s.packed[at:], k.tileCols, k.tileCols * depth
	case s.direct(k, rows):
		return s.data[l0*s.rs+j0:], s.rs, k.tileCols
	}
	data = w.floats(in, blocks(j1-j0, k.tileCols)*k.tileCols*depth)
	s.pack(k, w, data, l0, l1, j0, j1)
	return data, k.tileCols, k.tileCols * depth
}

// direct reports whether tiles read the rows of s where they lie, for a left operand of so many rows.
func (s *source) direct(k *kernels, rows int) bool {
	return s.w == nil && s.cs == 1 && rows <= 2*k.tileRows
}

// pack makes panels of rows [l0, l1) and columns [j0, j1): columns j to j+tileCols become a panel of l1−l0 rows, filled up with zeros, one panel after the other.
func (s *source) pack(k *kernels, w *worker, dst []float32, l0, l1, j0, j1 int) {
	if s.turned != nil {
		s.turn(k, dst, l0, l1, j0, j1)
		return
	}
	depth := l1 - l0
	for j := j0; j < j1; j += k.tileCols {
		n := min(k.tileCols, j1-j)
		panel := dst[(j-j0)*depth:][:depth*k.tileCols]
		switch {
		case s.w != nil && s.cs == 1 && s.rows == s.w.Rows: // the transposed matrix of one column has stride 1, too
			s.widenRows(k, panel, l0, l1, j, n)
		case s.w != nil:
			wide := w.floats(slotWide, n*depth)
			for i := range n {
				s.w.row(k, wide[i*depth:][:depth], j+i, l0)
			}
			k.pack(panel, wide, n, depth, depth)
		default:
			s.window(l0, l1, j, j+n).panel(k, panel)
		}
	}
}

// turn packs rows [l0, l1) and columns [j0, j1), of panels of the transposed matrix: a square of as many rows and columns as a panel has columns at a time, in the order in which they lie.
func (s *source) turn(k *kernels, dst []float32, l0, l1, j0, j1 int) {
	whole, size := blocks(s.rows, k.tileCols)*k.tileCols, k.tileCols
	for end := j0; j0 < j1; j0 = end {
		from := j0 / k.depthBlock * k.depthBlock
		depth := min(k.depthBlock, s.cols-from)
		end = min(j1, from+depth)
		for l := l0; l < l1; l += size {
			squares := s.turned[from*whole+l*depth:]
			for j := j0; j < end; j += size {
				if l+size < l1 { // the next square is far away
					k.touch(squares[size*depth+(j-from)*size:], size, size, size)
				}
				k.pack(dst[(j-j0)*(l1-l0)+(l-l0)*size:], squares[(j-from)*size:], min(size, end-j), min(size, l1-l), size)
			}
		}
		dst = dst[(end-j0)*(l1-l0):]
	}
}

// widenRows packs columns [j, j+n) of a weight that is not transposed.
func (s *source) widenRows(k *kernels, panel []float32, l0, l1, j, n int) {
	for l := l0; l < l1; l++ {
		out := panel[(l-l0)*k.tileCols:][:k.tileCols]
		s.w.row(k, out[:n], l, j)
		clear(out[n:])
	}
}

// panel packs the whole view, of at most tileCols columns.
func (v view) panel(k *kernels, panel []float32) {
	switch {
	case v.cs == 1:
		k.stack(panel, v.data, v.rows, v.cols, v.rs, k.tileCols)
	case v.rs == 1 && v.rows > 0:
		k.pack(panel, v.data, v.cols, v.rows, v.cs)
	default:
		for l := range v.rows {
			out := panel[l*k.tileCols:][:k.tileCols]
			for j := range v.cols {
				out[j] = v.at(l, j)
			}
			clear(out[v.cols:])
		}
	}
}

// A packing makes all panels of a right operand: a task is a block of depth of one panel.
type packing struct {
	k    *kernels
	s    source
	from []float32 // the panels without entries, if they are there
}

// chunk packs block c, counted from panel to panel and then in depth.
func (p *packing) chunk(w *worker, c int) {
	k, s := p.k, &p.s
	panels := blocks(s.cols, k.tileCols)
	j0, l0 := c%panels*k.tileCols, c/panels*k.depthBlock
	l1, j1 := min(l0+k.depthBlock, s.rows), min(j0+k.tileCols, s.cols)
	if s.turnedPairs != nil {
		s.turnPairs(k, s.pairs[l0/2*panels*k.tileCols+j0*pairsOf(l1-l0):], l0, l1, j0, j1)
		return
	}
	at := l0*panels*k.tileCols + j0*(l1-l0)
	if p.from == nil {
		s.pack(k, w, s.packed[at:], l0, l1, j0, j1)
	} else {
		copy(s.packed[at:][:(l1-l0)*k.tileCols], p.from[at:])
	}
	if s.entries != nil {
		s.amend(k, s.packed[at:], l0, l1, j0, j1)
	}
}

// packedSize is how many numbers of 32 bits all panels of s are.
func (b *Backend) packedSize(s *source) int {
	if s.halves() {
		return b.packedPairs(s.rows, s.cols)
	}
	cols := b.kernels.tileCols
	return blocks(s.cols, cols) * cols * s.rows
}

// pack makes all panels of s, in dst.
func (b *Backend) pack(s *source, dst []float32) {
	from := s.packed
	if s.halves() {
		s.pairs = words(dst)
	} else {
		s.packed = dst
	}
	run(b, blocks(s.cols, b.kernels.tileCols)*blocks(s.rows, b.kernels.depthBlock), packing{b.kernels, *s, from})
}

// right is W, or Wᵀ, as the right operand of a product. The panels of Wᵀ are made when they are first wanted and take the place of the storage: those of float32 numbers, and those of pairs where
// the backend multiplies in bfloat16.
func (b *Backend) right(weights backend.Weight, transposed bool) source {
	if a, ok := weights.(*amended); ok {
		s := b.right(a.weight, transposed)
		if s.entries, s.values = a.t, see(a.v); transposed {
			s.entries = a.s
		}
		return s
	}
	w := weights.(*weight)
	switch {
	case b.inPairs(w):
		b.paired(w)
	case transposed && w.float32s():
		b.packed(w)
	}
	return sourceOf(w, transposed)
}

// inPairs reports whether products with w are those of bfloat16 numbers.
func (b *Backend) inPairs(w *weight) bool { return b.bf16 && w.Type == backend.BF16 }

// packed makes the panels of Wᵀ.
func (b *Backend) packed(w *weight) {
	w.once.Do(func() {
		s := sourceOf(w, true)
		b.pack(&s, aligned(b.packedSize(&s)))
		w.become(&numbers{panels: s.packed})
	})
}
