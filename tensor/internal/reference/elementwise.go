package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// Fill makes dst[i][j] = v.
func (*Backend) Fill(dst backend.Mat, v float64) {
	each(dst, func(i, j int) { *at(dst, i, j) = v })
}

// Axpby makes dst[i][j] = a·x[i][j] + b·dst[i][j].
func (*Backend) Axpby(dst backend.Mat, a float64, x backend.Mat, b float64) {
	each(dst, func(i, j int) { put(dst, i, j, a**at(x, i, j), b) })
}

// Binary makes dst[i][j] = op(x[i][j], y[i][j]) + beta·dst[i][j].
func (*Backend) Binary(op backend.Binary, dst, x, y backend.Mat, beta float64) {
	each(dst, func(i, j int) { put(dst, i, j, combine(op, *at(x, i, j), *at(y, i, j)), beta) })
}

// Unary makes dst[i][j] = f(x[i][j]).
func (*Backend) Unary(f backend.Unary, dst, x backend.Mat) {
	each(dst, func(i, j int) { *at(dst, i, j) = evaluate(f, *at(x, i, j)) })
}

// UnaryGrad makes dx[i][j] = dy[i][j]·f'(x[i][j]) + beta·dx[i][j], where f' is a function of y = f(x) if f.FromOutput().
func (*Backend) UnaryGrad(f backend.Unary, dx, x, y, dy backend.Mat, beta float64) {
	each(dx, func(i, j int) {
		var slope float64
		if f.FromOutput() {
			slope = slopeFromOutput(f, *at(y, i, j))
		} else {
			slope = slopeFromInput(f, *at(x, i, j))
		}
		put(dx, i, j, *at(dy, i, j)*slope, beta)
	})
}

// Sum makes dst[i][j] = Σ x + beta·dst[i][j], the sum over all rows if dst has one row, else over row i; likewise the columns.
func (*Backend) Sum(dst, x backend.Mat, beta float64) {
	each(dst, func(i, j int) {
		sum := 0.0
		part := x.Slice(0, x.Rows, 0, x.Cols)
		if dst.Rows > 1 {
			part = part.Slice(i, i+1, 0, part.Cols)
		}
		if dst.Cols > 1 {
			part = part.Slice(0, part.Rows, j, j+1)
		}
		each(part, func(i, j int) { sum += *at(part, i, j) })
		put(dst, i, j, sum, beta)
	})
}

// Dropout makes dst[i][j] = x[i][j]·kept/(1−p) + beta·dst[i][j], kept being 1 if backend.Kept(key, i·Cols+j, p), else 0.
func (*Backend) Dropout(dst, x backend.Mat, p float64, key uint64, beta float64) {
	each(dst, func(i, j int) {
		v := 0.0
		if backend.Kept(key, i*dst.Cols+j, p) {
			v = *at(x, i, j) / (1 - p)
		}
		put(dst, i, j, v, beta)
	})
}

// SumSquares is Σ x[i][j]².
func (*Backend) SumSquares(x backend.Mat) float64 {
	sum := 0.0
	each(x, func(i, j int) { sum += *at(x, i, j) * *at(x, i, j) })
	return sum
}

// Finite is whether |x[i][j]| < ∞ for all i and j.
func (*Backend) Finite(x backend.Mat) bool {
	finite := true
	each(x, func(i, j int) { finite = finite && math.Abs(*at(x, i, j)) < math.Inf(1) })
	return finite
}
