package cpu

import (
	"sync"
	"unsafe"

	"peft/tensor/internal/backend"
)

// pairKernels multiply bfloat16 numbers two steps of the inner dimension at a time. A pair is two of them in 32 bits, the first one in the lower half.
type pairKernels struct {
	rows int // of a strip, at most
	tile pairsFunc
	// round makes of rows of cols numbers, stride apart, rows of pairs, pitch apart, filled up with zeros to a multiple of 16 pairs. Halves are rounded to the nearest, ties to even;
	// denormal numbers become zero.
	round func(dst []uint32, src []float32, rows, cols, stride, pitch int)
}

// A pairsFunc multiplies a strip of pairs: c[i·cr + j] = Σ_l a[i·ar + l]·b(l, j) + bias[j] + beta·c[i·cr + j] for i < rows, l < depth, j < n, where the product of two pairs is the sum of
// two products and b(l, j) = b[j/tileCols·next + l·tileCols + j%tileCols]. Sums are float32. depth is a multiple of 16. There is memory for as many rows of a as a strip may have, and in sums for
// a panel's columns of them; panels are whole. With beta = 0 c is not read; bias may be empty.
type pairsFunc func(c []float32, cr int, a []uint32, ar int, b []uint32, next, depth, rows, n int, beta float32, bias, sums []float32)

const (
	pairsDepth = 384 // of the inner dimension, for which a strip of pairs stays in the first-level cache
	pairsUnit  = 32  // numbers: panels and strips of pairs are filled up with zeros to a multiple of them
)

// pairsOf is how many pairs n numbers are, filled up.
func pairsOf(n int) int { return blocks(n, pairsUnit) * pairsUnit / 2 }

// words are the same bits.
func words(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// addPairs is add for a right operand of pairs: c = a·b + bias + beta·c.
func (x *block) addPairs(a *view, b *source, last bool) {
	k := x.k.pairs
	sums := x.w.floats(slotSums, k.rows*x.k.tileCols)
	for l0 := 0; l0 < a.cols; l0 += pairsDepth {
		l1 := min(l0+pairsDepth, a.cols)
		part, depth := a.window(x.i0, x.i1, l0, l1), pairsOf(l1-l0)
		panels := b.pairs[l0/2*blocks(b.cols, x.k.tileCols)*x.k.tileCols+x.j0*depth:]
		for i := 0; i < part.rows; i += k.rows {
			end := min(i+k.rows, part.rows)
			rows, pitch := x.k.roundRows(x.w, part.window(i, end, 0, part.cols))
			k.tile(x.c.data[i*x.c.rs:], x.c.rs, rows, pitch, panels, x.k.tileCols*depth, depth, end-i, x.c.cols, x.beta, x.addend, sums)
			if last && l1 == a.cols {
				x.finish(i, end)
			}
		}
		x.beta, x.addend = 1, nil
	}
}

// roundRows makes a strip of pairs.
func (k *kernels) roundRows(w *worker, a view) (rows []uint32, pitch int) {
	const skew = 16
	data, stride := a.data, a.rs
	if a.cs != 1 {
		data, stride, _ = k.rows(w, a)
	}
	pitch = pairsOf(a.cols) + skew
	rows = words(w.floats(slotPairs, k.pairs.rows*pitch))
	k.pairs.round(rows, data, a.rows, a.cols, stride, pitch)
	return rows, pitch
}

// pairPanels are a weight's panels of pairs, for one direction.
type pairPanels struct {
	once   sync.Once
	panels []uint32
}

// A pairing makes all panels of pairs of W, or of Wᵀ: a task is a panel's columns.
type pairing struct {
	w          *weight
	transposed bool
	tileCols   int
	dst        []uint32
}

// chunk makes panel c of every block of depth.
func (p *pairing) chunk(_ *worker, c int) {
	rows, cols := p.size()
	whole, j0 := blocks(cols, p.tileCols)*p.tileCols, c*p.tileCols
	n := min(p.tileCols, cols-j0)
	for l0 := 0; l0 < rows; l0 += pairsDepth {
		l1 := min(l0+pairsDepth, rows)
		panel := p.dst[l0/2*whole+j0*pairsOf(l1-l0):]
		if p.transposed {
			p.along(panel, l0, l1, j0, n)
		} else {
			p.across(panel, l0, l1, j0, n)
		}
	}
}

// size is that of the right operand.
func (p *pairing) size() (rows, cols int) {
	if p.transposed {
		return p.w.Cols, p.w.Rows
	}
	return p.w.Rows, p.w.Cols
}

// along takes pairs from rows of W: columns [l0, l1) of rows j0 to j0+n.
func (p *pairing) along(panel []uint32, l0, l1, j0, n int) {
	for j := range n {
		for l := l0; l < l1; l += 2 {
			pair := p.w.half(j0+j, l)
			if l+1 < l1 {
				pair |= p.w.half(j0+j, l+1) << 16
			}
			panel[(l-l0)/2*p.tileCols+j] = pair
		}
	}
}

// across takes pairs from two rows of W: rows [l0, l1), columns j0 to j0+n.
func (p *pairing) across(panel []uint32, l0, l1, j0, n int) {
	for l := l0; l < l1; l += 2 {
		out := panel[(l-l0)/2*p.tileCols:][:n]
		for j := range out {
			out[j] = p.w.half(l, j0+j)
			if l+1 < l1 {
				out[j] |= p.w.half(l+1, j0+j) << 16
			}
		}
	}
}

// half is number (i, j) of a BF16 weight.
func (w *weight) half(i, j int) uint32 {
	at := 2 * (i*w.Cols + j)
	return uint32(w.Data[at]) | uint32(w.Data[at+1])<<8
}

// right is W, or Wᵀ, as the right operand of a product: as pairs where the backend multiplies in bfloat16. They are made when they are first used, and kept.
func (b *Backend) right(w *weight, transposed bool) source {
	if !b.bf16 || w.Type != backend.BF16 {
		if transposed {
			return b.transposed(w)
		}
		return sourceOf(w, false)
	}
	s, kept := sourceOf(w, transposed), &w.pairs[0]
	if transposed {
		kept = &w.pairs[1]
	}
	kept.once.Do(func() {
		cols := b.kernels.tileCols
		kept.panels = words(aligned(pairsOf(s.rows) * blocks(s.cols, cols) * cols))
		run(b, blocks(s.cols, cols), pairing{w: w, transposed: transposed, tileCols: cols, dst: kept.panels})
	})
	s.pairs = kept.panels
	return s
}
