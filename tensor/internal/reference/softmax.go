package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// Softmax makes y[i][j] = exp(x[i][j])/Σ_l exp(x[i][l]).
func (*Backend) Softmax(y, x backend.Mat) {
	for i := range x.Rows {
		r := row(x, i)
		top, sum := sumExp(r)
		for j, v := range r {
			*at(y, i, j) = math.Exp(v-top) / sum
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

// logSumExp is log Σ exp(x[j]); of no numbers, and of −∞ alone, it is −∞.
func logSumExp(x []float64) float64 {
	top, sum := sumExp(x)
	if math.IsInf(top, -1) {
		return top
	}
	return top + math.Log(sum)
}

// sumExp is Σ exp(x[j]) by its two factors: exp(top) with top the largest of x, and a sum that does not overflow.
func sumExp(x []float64) (top, sum float64) {
	top = math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top, sum
}
