package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// A Backend computes in float64, one number after the other.
type Backend struct{}

var _ backend.Backend = (*Backend)(nil)

// New returns the backend.
func New() *Backend { return &Backend{} }

// Name is "reference".
func (*Backend) Name() string { return "reference" }

// A buffer is memory of this backend.
type buffer struct{ data []float64 }

// Len is the number of numbers it holds.
func (b *buffer) Len() int { return len(b.data) }

// Alloc returns a buffer of n NaNs.
func (*Backend) Alloc(n int) backend.Buffer {
	b := &buffer{data: make([]float64, n)}
	for i := range b.data {
		b.data[i] = math.NaN()
	}
	return b
}

// Lasting is Alloc.
func (b *Backend) Lasting(n int) backend.Buffer { return b.Alloc(n) }

// Free takes the buffer's memory away, so that using it afterwards panics.
func (*Backend) Free(b backend.Buffer) { b.(*buffer).data = nil }

// Write makes b[off+i] = src[i].
func (*Backend) Write(b backend.Buffer, off int, src []float64) {
	copy(span(b, off, len(src)), src)
}

// WriteF32 makes b[off+i] = src[i].
func (*Backend) WriteF32(b backend.Buffer, off int, src []float32) {
	dst := span(b, off, len(src))
	for i, x := range src {
		dst[i] = float64(x)
	}
}

// Read makes dst[i] = b[off+i].
func (*Backend) Read(dst []float64, b backend.Buffer, off int) {
	copy(dst, span(b, off, len(dst)))
}

// ReadF32 makes dst[i] = b[off+i], rounded to the nearest float32.
func (*Backend) ReadF32(dst []float32, b backend.Buffer, off int) {
	for i, x := range span(b, off, len(dst)) {
		dst[i] = float32(x)
	}
}

// span is numbers [off, off+n) of b.
func span(b backend.Buffer, off, n int) []float64 { return b.(*buffer).data[off : off+n] }

// at is the place of element (i, j) of m.
func at(m backend.Mat, i, j int) *float64 {
	return &m.Buf.(*buffer).data[m.Off+i*m.RowStride+j*m.ColStride]
}

// put makes element (i, j) of m = v + beta·itself; with beta = 0 the old value is not read.
func put(m backend.Mat, i, j int, v, beta float64) {
	p := at(m, i, j)
	if beta != 0 {
		v += beta * *p
	}
	*p = v
}

// each calls f for all elements of m, row after row.
func each(m backend.Mat, f func(i, j int)) {
	for i := range m.Rows {
		for j := range m.Cols {
			f(i, j)
		}
	}
}
