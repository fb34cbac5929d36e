package backendtest

import (
	"math"
	"math/rand/v2"

	"peft/tensor/internal/backend"
)

// guard lies around operands that are written. Around the others lies NaN.
const guard = float32(12345.678)

// An operand is a matrix by its numbers and by the way it lies in its buffer.
type operand struct {
	layout
	rows, cols int
	data       []float32 // of the whole buffer, as it is before the call
	written    bool      // by the call
	checked    bool      // what was written
}

// A layout is where the elements of a matrix lie in a buffer of the given size.
type layout struct{ size, off, rowStride, colStride int }

// mat is the operand in a buffer of its size.
func (o *operand) mat(b backend.Buffer) backend.Mat {
	return backend.Mat{Buf: b, Off: o.off, Rows: o.rows, Cols: o.cols, RowStride: o.rowStride, ColStride: o.colStride}
}

// place is the number of element (i, j) in the buffer.
func (o *operand) place(i, j int) int { return o.off + i*o.rowStride + j*o.colStride }

// at is element (i, j) before the call.
func (o *operand) at(i, j int) float64 { return float64(o.data[o.place(i, j)]) }

// set changes element (i, j) before the call.
func (o *operand) set(i, j int, v float64) { o.data[o.place(i, j)] = float32(v) }

// each calls f for all elements, row after row.
func (o *operand) each(f func(i, j int)) {
	for i := range o.rows {
		for j := range o.cols {
			f(i, j)
		}
	}
}

// window says for each number of the buffer whether it is an element.
func (o *operand) window() []bool {
	in := make([]bool, len(o.data))
	o.each(func(i, j int) { in[o.place(i, j)] = true })
	return in
}

// contiguousLayout fills a stretch of memory, at its beginning or inside.
func contiguousLayout(rng *rand.Rand, rows, cols int) layout {
	if rng.IntN(2) == 0 {
		return layout{size: rows * cols, rowStride: cols, colStride: 1}
	}
	off := rng.IntN(40)
	return layout{size: off + rows*cols + rng.IntN(40), off: off, rowStride: cols, colStride: 1}
}

// windowLayout is a window of a larger matrix, whose elements in a row lie step apart.
func windowLayout(rng *rand.Rand, rows, cols, step int) layout {
	stride := step*cols + rng.IntN(20)
	off := rng.IntN(20)
	return layout{size: off + rows*stride + rng.IntN(20), off: off, rowStride: stride, colStride: step}
}

// transposed is the layout of a matrix whose transposed one has layout l.
func transposed(l layout) layout {
	l.rowStride, l.colStride = l.colStride, l.rowStride
	return l
}

// distinctLayout is any layout in which elements do not share memory.
func distinctLayout(rng *rand.Rand, rows, cols int) layout {
	switch rng.IntN(8) {
	case 0, 1, 2:
		return contiguousLayout(rng, rows, cols)
	case 3, 4:
		return windowLayout(rng, rows, cols, 1)
	case 5:
		return transposed(contiguousLayout(rng, cols, rows))
	case 6:
		return transposed(windowLayout(rng, cols, rows, 1))
	}
	return windowLayout(rng, rows, cols, 2)
}

// anyLayout may repeat a row, a column, or one number, too.
func anyLayout(rng *rand.Rand, rows, cols int) layout {
	l := distinctLayout(rng, rows, cols)
	switch rng.IntN(12) {
	case 0:
		l.rowStride = 0
	case 1:
		l.colStride = 0
	case 2:
		l.rowStride, l.colStride = 0, 0
	}
	return l
}

// newOperand is an operand with guards and, inside, numbers made by value.
func newOperand(rows, cols int, l layout, written bool, value func() float32) *operand {
	o := &operand{layout: l, rows: rows, cols: cols, written: written, data: make([]float32, l.size)}
	for i := range o.data {
		o.data[i] = float32(math.NaN())
		if written {
			o.data[i] = guard
		}
	}
	o.each(func(i, j int) { o.data[o.place(i, j)] = value() })
	return o
}
