package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// Softmax makes y[i][j] = exp(x[i][j])/Σ_l exp(x[i][l]).
func (*Backend) Softmax(y, x backend.Mat) {
	for i := range x.Rows {
		total := logSumExp(row(x, i))
		for j := range x.Cols {
			*at(y, i, j) = math.Exp(*at(x, i, j) - total)
		}
	}
}

// SoftmaxGrad makes dx[i][j] = y[i][j]·(dy[i][j] − Σ_l dy[i][l]·y[i][l]) + beta·dx[i][j].
func (*Backend) SoftmaxGrad(dx, y, dy backend.Mat, beta float64) {
	for i := range y.Rows {
		mean := dot(dy, i, y, i)
		for j := range y.Cols {
			put(dx, i, j, *at(y, i, j)*(*at(dy, i, j)-mean), beta)
		}
	}
}

// row is a copy of row i of m.
func row(m backend.Mat, i int) []float64 {
	r := make([]float64, m.Cols)
	for j := range r {
		r[j] = *at(m, i, j)
	}
	return r
}

// logSumExp is log Σ exp(x[j]), with the largest taken out so that nothing overflows; of no numbers, and of −∞ alone, it is −∞.
func logSumExp(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = math.Max(top, v)
	}
	if math.IsInf(top, -1) {
		return top
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}
