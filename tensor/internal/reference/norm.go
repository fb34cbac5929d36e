package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// LayerNorm makes mean = Σ_j x[i][j]/d, var = Σ_j (x[i][j]−mean)²/d, r = 1/√(var+eps), y[i][j] = (x[i][j]−mean)·r·gain[j] + bias[j],
// and stats[i] = (mean, r).
func (*Backend) LayerNorm(y, stats, x backend.Mat, gain, bias *backend.Mat, eps float64) {
	for i := range x.Rows {
		mean := rowMean(x, func(j int) float64 { return *at(x, i, j) })
		variance := rowMean(x, func(j int) float64 { return (*at(x, i, j) - mean) * (*at(x, i, j) - mean) })
		r := 1 / math.Sqrt(variance+eps)
		*at(stats, i, 0), *at(stats, i, 1) = mean, r
		for j := range x.Cols {
			*at(y, i, j) = (*at(x, i, j)-mean)*r*gainAt(gain, j) + biasAt(bias, j)
		}
	}
}

// LayerNormGrad makes, with (mean, r) = stats[i], n[j] = (x[i][j]−mean)·r and t[j] = dy[i][j]·gain[j],
// dx[i][j] = r·(t[j] − Σ t/d − n[j]·Σ t∘n/d) + beta·dx[i][j], dgain[j] += Σ_i dy[i][j]·n[j] and dbias[j] += Σ_i dy[i][j].
func (*Backend) LayerNormGrad(dx, dgain, dbias *backend.Mat, dy, x, stats backend.Mat, gain *backend.Mat, beta float64) {
	for i := range x.Rows {
		mean, r := *at(stats, i, 0), *at(stats, i, 1)
		n := func(j int) float64 { return (*at(x, i, j) - mean) * r }
		t := func(j int) float64 { return *at(dy, i, j) * gainAt(gain, j) }
		meanT := rowMean(x, t)
		meanTN := rowMean(x, func(j int) float64 { return t(j) * n(j) })
		for j := range x.Cols {
			d := *at(dy, i, j)
			addAt(dgain, j, d*n(j))
			addAt(dbias, j, d)
			if dx != nil {
				put(*dx, i, j, r*(t(j)-meanT-n(j)*meanTN), beta)
			}
		}
	}
}

// RMSNorm makes r = 1/√(Σ_j x[i][j]²/d + eps), y[i][j] = x[i][j]·r·gain[j], and stats[i] = r.
func (*Backend) RMSNorm(y, stats, x backend.Mat, gain *backend.Mat, eps float64) {
	for i := range x.Rows {
		square := rowMean(x, func(j int) float64 { return *at(x, i, j) * *at(x, i, j) })
		r := 1 / math.Sqrt(square+eps)
		*at(stats, i, 0) = r
		for j := range x.Cols {
			*at(y, i, j) = *at(x, i, j) * r * gainAt(gain, j)
		}
	}
}

// RMSNormGrad makes, with r = stats[i], n[j] = x[i][j]·r and t[j] = dy[i][j]·gain[j],
// dx[i][j] = r·(t[j] − n[j]·Σ t∘n/d) + beta·dx[i][j] and dgain[j] += Σ_i dy[i][j]·n[j].
func (*Backend) RMSNormGrad(dx, dgain *backend.Mat, dy, x, stats backend.Mat, gain *backend.Mat, beta float64) {
	for i := range x.Rows {
		r := *at(stats, i, 0)
		n := func(j int) float64 { return *at(x, i, j) * r }
		t := func(j int) float64 { return *at(dy, i, j) * gainAt(gain, j) }
		meanTN := rowMean(x, func(j int) float64 { return t(j) * n(j) })
		for j := range x.Cols {
			d := *at(dy, i, j)
			addAt(dgain, j, d*n(j))
			if dx != nil {
				put(*dx, i, j, r*(t(j)-n(j)*meanTN), beta)
			}
		}
	}
}

// rowMean is Σ_j f(j)/d over a row of x.
func rowMean(x backend.Mat, f func(j int) float64) float64 {
	sum := 0.0
	for j := range x.Cols {
		sum += f(j)
	}
	return sum / float64(x.Cols)
}

// gainAt is gain[j], or 1 without a gain.
func gainAt(gain *backend.Mat, j int) float64 {
	if gain == nil {
		return 1
	}
	return *at(*gain, 0, j)
}

// biasAt is bias[j], or 0 without a bias.
func biasAt(bias *backend.Mat, j int) float64 {
	if bias == nil {
		return 0
	}
	return *at(*bias, 0, j)
}

// addAt makes d[j] += v, where d is not nil.
func addAt(d *backend.Mat, j int, v float64) {
	if d != nil {
		*at(*d, 0, j) += v
	}
}
