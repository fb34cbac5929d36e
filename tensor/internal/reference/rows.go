package reference

import "peft/tensor/internal/backend"

// GatherRows makes dst[i][j] = scale[i]·src[idx[i]][j] + beta·dst[i][j], the first term being 0 where idx[i] < 0.
func (*Backend) GatherRows(dst, src backend.Mat, idx []int32, scale []float32, beta float64) {
	each(dst, func(i, j int) {
		v := 0.0
		if idx[i] >= 0 {
			v = scaleAt(scale, i) * *at(src, int(idx[i]), j)
		}
		put(dst, i, j, v, beta)
	})
}

// ScatterRows makes dst[idx[i]][j] += scale[i]·src[i][j] for i = 0, 1, ..., where idx[i] >= 0.
func (*Backend) ScatterRows(dst, src backend.Mat, idx []int32, scale []float32) {
	each(src, func(i, j int) {
		if idx[i] >= 0 {
			*at(dst, int(idx[i]), j) += scaleAt(scale, i) * *at(src, i, j)
		}
	})
}

// SegmentSum makes dst[s][j] = scale[s]·Σ x[i][j] + beta·dst[s][j], the sum over start[s] <= i < start[s+1].
func (*Backend) SegmentSum(dst, x backend.Mat, start []int32, scale []float32, beta float64) {
	each(dst, func(s, j int) {
		sum := 0.0
		for i := start[s]; i < start[s+1]; i++ {
			sum += *at(x, int(i), j)
		}
		put(dst, s, j, scaleAt(scale, s)*sum, beta)
	})
}

// scaleAt is scale[i], or 1 without scales.
func scaleAt(scale []float32, i int) float64 {
	if scale == nil {
		return 1
	}
	return float64(scale[i])
}
