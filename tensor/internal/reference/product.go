package reference

import "peft/tensor/internal/backend"

// MatMul makes dst[i][j] = alpha·Σ_l a[i][l]·b[l][j] + beta·dst[i][j].
func (*Backend) MatMul(dst, a, b backend.Mat, alpha, beta float64) {
	each(dst, func(i, j int) { put(dst, i, j, alpha*dot(a, i, b.T(), j), beta) })
}

// MulT makes pre[i][j] = Σ_l x[i][l]·W[j][l] + Σ_r u[i][r]·v[j][r] + bias[j], and dst[i][j] = f(pre[i][j]).
func (*Backend) MulT(dst, x backend.Mat, w backend.Weight, e backend.Epilogue) {
	each(dst, func(i, j int) {
		sum := dot(x, i, matrix(w), j)
		if e.Low != nil {
			sum += dot(e.Low.U, i, e.Low.V, j)
		}
		if e.Bias != nil {
			sum += *at(*e.Bias, 0, j)
		}
		if e.Pre != nil {
			*at(*e.Pre, i, j) = sum
		}
		*at(dst, i, j) = evaluate(e.Func, sum)
	})
}

// Mul makes dst[i][j] = Σ_l dy[i][l]·W[l][j] + Σ_r u[i][r]·v[r][j] + beta·dst[i][j].
func (*Backend) Mul(dst, dy backend.Mat, w backend.Weight, low *backend.LowRank, beta float64) {
	each(dst, func(i, j int) {
		sum := dot(dy, i, matrix(w).T(), j)
		if low != nil {
			sum += dot(low.U, i, low.V.T(), j)
		}
		put(dst, i, j, sum, beta)
	})
}

// Gather makes dst[i][j] = W[ids[i]][j].
func (*Backend) Gather(dst backend.Mat, w backend.Weight, ids []int32) {
	each(dst, func(i, j int) { *at(dst, i, j) = *at(matrix(w), int(ids[i]), j) })
}

// Dequantize makes dst[i][j] = W[i][j].
func (*Backend) Dequantize(dst backend.Mat, w backend.Weight) {
	each(dst, func(i, j int) { *at(dst, i, j) = *at(matrix(w), i, j) })
}

// dot is Σ_l a[i][l]·b[j][l], the product of two rows.
func dot(a backend.Mat, i int, b backend.Mat, j int) float64 {
	sum := 0.0
	for l := range a.Cols {
		sum += *at(a, i, l) * *at(b, j, l)
	}
	return sum
}
