package cpu

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// pairKernels multiply bfloat16 numbers two steps of the inner dimension at a time. A pair is two of them in 32 bits, the first one in the lower half.
type pairKernels struct {
	rows int // of a strip, at most
	tile pairsFunc
	// round makes of rows of cols numbers, stride apart, rows of pairs, pitch apart, filled up with zeros to a multiple of 16 pairs. Halves are rounded to the nearest, ties to even;
	// denormal numbers become zero.
	round func(dst []uint32, src []float32, rows, cols, stride, pitch int)
	// turn makes dst a square of a panel's columns and as many numbers in depth, of the same of the transposed panels: number (l, j) of one is number (j, l) of the other.
	turn func(dst, src []uint32)
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

// numbersOf are the same bits.
func numbersOf(x []uint32) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// addPairs is add for a right operand of pairs: c = a·b + bias + beta·c.
func (x *block) addPairs(a *view, b *source) {
	k := x.k.pairs
	sums := x.w.floats(slotSums, k.rows*x.k.tileCols)
	for l0 := 0; l0 < a.cols; l0 += pairsDepth {
		l1 := min(l0+pairsDepth, a.cols)
		part, depth := a.window(x.i0, x.i1, l0, l1), pairsOf(l1-l0)
		panels := b.pairPanels(x.k, x.w, l0, l1, x.j0, x.j1)
		for i := 0; i < part.rows; i += k.rows {
			end := min(i+k.rows, part.rows)
			rows, pitch := x.k.roundRows(x.w, part.window(i, end, 0, part.cols))
			k.tile(x.c.data[i*x.c.rs:], x.c.rs, rows, pitch, panels, x.k.tileCols*depth, depth, end-i, x.c.cols, x.beta, x.addend, sums)
			if l1 == a.cols {
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
		data, stride, _ = k.rows(w, slotA, a)
	}
	pitch = pairsOf(a.cols) + skew
	rows = words(w.floats(slotPairs, k.pairs.rows*pitch))
	k.pairs.round(rows, data, a.rows, a.cols, stride, pitch)
	return rows, pitch
}

// pairPanels is rows [l0, l1), a block of depth, and columns [j0, j1) as panels of pairs.
func (s *source) pairPanels(k *kernels, w *worker, l0, l1, j0, j1 int) []uint32 {
	depth := pairsOf(l1 - l0)
	if s.pairs != nil {
		return s.pairs[l0/2*blocks(s.cols, k.tileCols)*k.tileCols+j0*depth:]
	}
	data := words(w.floats(slotB, blocks(j1-j0, k.tileCols)*k.tileCols*depth))
	s.turnPairs(k, data, l0, l1, j0, j1)
	return data
}

// turnPairs makes panels of pairs of rows [l0, l1) and columns [j0, j1), of those of the transposed matrix: a square of as many rows and columns as a panel has columns at a time.
func (s *source) turnPairs(k *kernels, dst []uint32, l0, l1, j0, j1 int) {
	size, whole, filled := k.tileCols, blocks(s.rows, k.tileCols)*k.tileCols, 2*pairsOf(l1-l0)
	for j := j0; j < j1; j += size {
		panel, from := dst[(j-j0)*filled/2:][:size*filled/2], j/pairsDepth*pairsDepth
		depth := pairsOf(min(pairsDepth, s.cols-from))
		l := l0
		for ; l < l1; l += size {
			at := from/2*whole + l*depth + (j-from)/2*size
			if next := at + size*depth; l+size < l1 {
				k.touch(numbersOf(s.turnedPairs[next:]), size/2, size, size)
			}
			k.pairs.turn(panel[(l-l0)/2*size:], s.turnedPairs[at:])
		}
		clear(panel[(l-l0)/2*size:])
	}
}

// A pairing makes all panels of pairs of Wᵀ, of its numbers as they are stored: a task is a panel's columns.
type pairing struct {
	w        *weight
	tileCols int
	data     []byte
	dst      []uint32
}

// chunk makes panel c of every block of depth. Two neighbours in a row of W are a pair as they lie.
func (p *pairing) chunk(_ *worker, c int) {
	depth, whole, j0 := p.w.Cols, blocks(p.w.Rows, p.tileCols)*p.tileCols, c*p.tileCols
	for l0 := 0; l0 < depth; l0 += pairsDepth {
		l1 := min(l0+pairsDepth, depth)
		panel := p.dst[l0/2*whole+j0*pairsOf(l1-l0):]
		for j := range min(p.tileCols, p.w.Rows-j0) {
			row := p.data[2*((j0+j)*depth+l0):][:2*(l1-l0)]
			for i := 0; len(row) >= 4; i, row = i+1, row[4:] {
				panel[i*p.tileCols+j] = binary.LittleEndian.Uint32(row)
			}
			if len(row) > 0 {
				panel[(l1-l0)/2*p.tileCols+j] = uint32(binary.LittleEndian.Uint16(row))
			}
		}
	}
}

// unpairRow makes dst row i of the matrix from column j on, of panels of pairs.
func (w *weight) unpairRow(k *kernels, dst []float32, pairs []uint32, i, j int) {
	whole := blocks(w.Rows, k.tileCols) * k.tileCols
	for n := range dst {
		from := (j + n) / pairsDepth * pairsDepth
		depth := pairsOf(min(pairsDepth, w.Cols-from))
		pair := pairs[from/2*whole+i/k.tileCols*k.tileCols*depth+(j+n-from)/2*k.tileCols+i%k.tileCols]
		dst[n] = math.Float32frombits(pair >> (16 * ((j + n) % 2)) << 16)
	}
}

// paired makes the panels of pairs of Wᵀ, which take the place of the storage, when they are first wanted.
func (b *Backend) paired(w *weight) {
	w.once.Do(func() {
		cols := b.kernels.tileCols
		p := pairing{w: w, tileCols: cols, data: w.numbers.Load().data, dst: words(aligned(b.packedPairs(w.Cols, w.Rows)))}
		run(b, blocks(w.Rows, cols), p)
		w.become(&numbers{pairs: p.dst})
	})
}

// packedPairs is how many pairs all panels of a right operand [rows×cols] are.
func (b *Backend) packedPairs(rows, cols int) int {
	return pairsOf(rows) * blocks(cols, b.kernels.tileCols) * b.kernels.tileCols
}
