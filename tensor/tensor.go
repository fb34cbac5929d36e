package tensor

import (
	"fmt"

	"peft/tensor/internal/backend"
)

func sprint(v ...any) string { return fmt.Sprint(v...) }

// A Tensor is an array of numbers that remembers how it was made, if a gradient will be wanted. Most operations see it as a matrix: the last
// axis is its columns, all axes before it are its rows.
type Tensor struct {
	shape  []int
	data   *storage
	off    int
	stride int // numbers from one row to the next
	layout *Layout
	scope  *Scope  // nil: lives until it is garbage
	node   *node   // how it was made; nil for a leaf
	param  *Tensor // the parameter that it is; nil for anything else
}

// Shape is the size of each axis. It must not be changed.
func (t *Tensor) Shape() []int { return t.shape }

// Len is the number of numbers.
func (t *Tensor) Len() int { return size(t.shape) }

// Cols is the size of the last axis, 1 for a scalar.
func (t *Tensor) Cols() int {
	if len(t.shape) == 0 {
		return 1
	}
	return t.shape[len(t.shape)-1]
}

// Rows is the product of the sizes of all axes but the last.
func (t *Tensor) Rows() int {
	if len(t.shape) == 0 {
		return 1
	}
	return size(t.shape[:len(t.shape)-1])
}

// Layout says which rows belong to which sequence; nil where rows are not those of a batch.
func (t *Tensor) Layout() *Layout { return t.layout }

// WithLayout is the same tensor with its rows laid out as l says.
func (t *Tensor) WithLayout(l *Layout) *Tensor {
	if l != nil && l.Rows() != t.Rows() {
		misfit("WithLayout", sprint(l.Rows())+" rows", t)
	}
	u := *t
	u.layout = l
	return &u
}

// Device is where the tensor lives.
func (t *Tensor) Device() *Device { return t.data.dev }

// Wants reports whether a gradient flows to the tensor.
func (t *Tensor) Wants() bool { return t.node != nil || t.param != nil }

// Detach is the same tensor without its history: no gradient flows through it.
func (t *Tensor) Detach() *Tensor {
	u := *t
	u.node, u.param = nil, nil
	return &u
}

// Float64s copies the numbers to the host, row after row.
func (t *Tensor) Float64s() []float64 {
	dst := make([]float64, t.Len())
	t.eachRow(func(lo, hi, off int) { t.Device().Read(dst[lo:hi], t.buffer(), off) })
	return dst
}

// Float32s copies the numbers to the host, row after row, rounded to float32.
func (t *Tensor) Float32s() []float32 {
	dst := make([]float32, t.Len())
	t.eachRow(func(lo, hi, off int) { t.Device().ReadF32(dst[lo:hi], t.buffer(), off) })
	return dst
}

// Item is the number of a tensor that holds one.
func (t *Tensor) Item() float64 {
	if t.Len() != 1 {
		misfit("Item", "one number", t)
	}
	return t.Float64s()[0]
}

// Assign overwrites the numbers of a parameter or constant.
func (t *Tensor) Assign(values []float64) {
	if len(values) != t.Len() {
		misfit("Assign", sprint(len(values))+" numbers", t)
	}
	t.eachRow(func(lo, hi, off int) { t.Device().Write(t.buffer(), off, values[lo:hi]) })
}

// eachRow calls f with stretches of numbers: their range counted row after row, and where they begin in the buffer.
func (t *Tensor) eachRow(f func(lo, hi, off int)) {
	n := t.Cols()
	if t.dense() {
		f(0, t.Len(), t.off)
		return
	}
	for i := range t.Rows() {
		f(i*n, (i+1)*n, t.off+i*t.stride)
	}
}

// dense reports whether the rows follow each other in memory.
func (t *Tensor) dense() bool { return t.stride == t.Cols() || t.Rows() == 1 }

// mat is the tensor as a backend sees it.
func (t *Tensor) mat() backend.Mat {
	return backend.Mat{Buf: t.buffer(), Off: t.off, Rows: t.Rows(), Cols: t.Cols(), RowStride: t.stride, ColStride: 1}
}

// buffer is where the numbers are. It panics if they have been freed.
func (t *Tensor) buffer() backend.Buffer {
	if t.data.buf == nil {
		panic(&ShapeError{Op: "use", Got: "a tensor that has been freed: of a closed scope, or a chain's", Want: "one that is alive"})
	}
	return t.data.buf
}

// over is the tensor repeated to the given size along axes where it has one row or one column.
func (t *Tensor) over(rows, cols int) backend.Mat {
	m := t.mat()
	if m.Rows == 1 && rows != 1 {
		m.Rows, m.RowStride = rows, 0
	}
	if m.Cols == 1 && cols != 1 {
		m.Cols, m.ColStride = cols, 0
	}
	return m
}

// optional is a pointer to the matrix of t, nil for nil, as backends take operands that may be missing.
func optional(t *Tensor) *backend.Mat {
	if t == nil {
		return nil
	}
	m := t.mat()
	return &m
}
