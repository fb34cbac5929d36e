package cpu

import (
	"math"
	"unsafe"

	"peft/tensor/internal/backend"
)

// band is how many rows of a matrix, or strides of a row, are added up before what was added is combined with the rest: a fixed number, so that sums do not depend on
// the number of threads.
const band = 64

// A reduction adds up bands of rows of x: part[c] receives, for band c, the sums of the columns.
type reduction struct {
	k       *kernels
	x, part view
	squares []float64
	beta    float32
}

// columnSums is a reduction by columns.
type columnSums reduction

// chunk adds up the rows of band c.
func (s *columnSums) chunk(w *worker, c int) {
	sum := s.part.data[c*s.part.rs:][:s.x.cols]
	clear(sum)
	for j0 := 0; j0 < s.x.cols; j0 += stride {
		j1 := min(j0+stride, s.x.cols)
		for i := c * band; i < min((c+1)*band, s.x.rows); i++ {
			s.k.axpby(sum[j0:j1], s.x.row(i, j0, j1, w.floats(slotX, stride)), 1, 1)
		}
	}
}

// rowSums makes part[i] = Σ_j x[i][j] + beta·part[i].
type rowSums reduction

// chunk adds up the rows of band c.
func (s *rowSums) chunk(w *worker, c int) {
	for i := c * band; i < min((c+1)*band, s.x.rows); i++ {
		var sum float64
		for j := 0; j < s.x.cols; j += stride {
			sum += float64(s.k.sum(s.x.row(i, j, min(j+stride, s.x.cols), w.floats(slotX, stride))))
		}
		v := float32(sum)
		if s.beta != 0 {
			v += s.beta * s.part.at(i, 0)
		}
		s.part.set(i, 0, v)
	}
}

// Sum adds x up along the axes where dst has size one.
func (b *Backend) Sum(dst, x backend.Mat, beta float64) {
	d, v := see(dst), see(x)
	switch {
	case d.rows == x.Rows && d.cols == x.Cols:
		b.Axpby(dst, 1, x, beta)
	case d.rows == x.Rows:
		b.sumRows(d, v, float32(beta))
	case d.cols == x.Cols && (v.rowwise() || v.rs != 1):
		b.sumColumns(d, v, float32(beta))
	case d.cols == x.Cols:
		b.sumRows(d.t(), v.t(), float32(beta))
	default:
		rows := b.pool.get(max(v.rows, 1))
		column := dense(rows.data, v.rows, 1)
		b.sumRows(column, v, 0)
		b.sumRows(d, column.t(), float32(beta))
		b.pool.put(rows)
	}
}

// sumRows makes d[i] = Σ_j x[i][j] + beta·d[i].
func (b *Backend) sumRows(d, x view, beta float32) {
	run(b, blocks(x.rows, band), rowSums{k: b.kernels, x: x, part: d, beta: beta})
}

// sumColumns makes d[j] = Σ_i x[i][j] + beta·d[j].
func (b *Backend) sumColumns(d, x view, beta float32) {
	n := blocks(x.rows, band)
	part := b.pool.get(max(n*x.cols, 1))
	sums := dense(part.data, n, x.cols)
	run(b, n, columnSums{k: b.kernels, x: x, part: sums})
	b.combine(d, sums, beta)
	b.pool.put(part)
}

// combine makes d[j] = Σ_c part[c][j] + beta·d[j], in the order of c. part is lost.
func (b *Backend) combine(d, part view, beta float32) {
	if d.cols == 0 {
		return
	}
	if part.rows == 0 {
		part = dense(make([]float32, part.cols), 1, part.cols)
	}
	first := part.data[:part.cols]
	for c := 1; c < part.rows; c++ {
		b.kernels.axpby(first, part.data[c*part.rs:][:part.cols], 1, 1)
	}
	b.kernels.store(d, 0, 0, first, beta)
}

// A scan sums squares of blocks of x.
type scan reduction

// chunk sums the squares of the rows of band c.
func (s *scan) chunk(w *worker, c int) {
	var sum float64
	steps := s.x.rows * blocks(s.x.cols, stride)
	across := blocks(s.x.cols, stride)
	for t := c * band; t < min((c+1)*band, steps); t++ {
		i, j := t/across, t%across*stride
		sum += s.k.sumSquares(s.x.row(i, j, min(j+stride, s.x.cols), w.floats(slotX, stride)))
	}
	s.squares[c] = sum
}

// SumSquares is Σ x².
func (b *Backend) SumSquares(x backend.Mat) float64 {
	v := see(x)
	if v.rows == 0 || v.cols == 0 {
		return 0
	}
	if v.flat() {
		v = v.flatten()
	}
	n := blocks(v.rows*blocks(v.cols, stride), band)
	room := b.pool.get(2 * n)
	part := unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(room.data))), n)
	run(b, n, scan{k: b.kernels, x: v, squares: part})
	sum := 0.0
	for _, p := range part {
		sum += p
	}
	b.pool.put(room)
	return sum
}

// Finite reports whether no number is infinite or NaN: whether the sum of squares, which no finite numbers make overflow in float64, is finite.
func (b *Backend) Finite(x backend.Mat) bool { return math.Abs(b.SumSquares(x)) <= math.MaxFloat64 }
