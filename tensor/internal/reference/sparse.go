package reference

import "peft/tensor/internal/backend"

// SparseMulT makes dst[n][i] += Σ x[n][Col[e]]·v[Slot[e]], the sum over the entries e of row i.
func (*Backend) SparseMulT(dst, x backend.Mat, s *backend.Entries, v backend.Mat) {
	each(dst, func(n, i int) {
		sum := 0.0
		for e := s.Start[i]; e < s.Start[i+1]; e++ {
			sum += *at(x, n, int(s.Col[e])) * *at(v, 0, int(s.Slot[e]))
		}
		put(dst, n, i, sum, 1)
	})
}

// SparseDot makes dv[Slot[e]] = Σ dy[n][i]·x[n][Col[e]] + beta·dv[Slot[e]], the sum over n, for the entries e of each row i.
func (*Backend) SparseDot(dv, dy, x backend.Mat, s *backend.Entries, beta float64) {
	for i := range s.Rows {
		for e := s.Start[i]; e < s.Start[i+1]; e++ {
			sum := 0.0
			for n := range x.Rows {
				sum += *at(dy, n, i) * *at(x, n, int(s.Col[e]))
			}
			put(dv, 0, int(s.Slot[e]), sum, beta)
		}
	}
}
