package reference

import "peft/tensor/internal/backend"

// Amend makes W[i][Col[e]] + v[Slot[e]] of the entries e of each row i.
func (b *Backend) Amend(w backend.Weight, s, _ *backend.Entries, v backend.Mat) backend.Weight {
	m := backend.Dense(b.Alloc(s.Rows*s.Cols), 0, s.Rows, s.Cols)
	each(m, func(i, j int) { *at(m, i, j) = *at(matrix(w), i, j) })
	for i := range s.Rows {
		for e := s.Start[i]; e < s.Start[i+1]; e++ {
			*at(m, i, int(s.Col[e])) += *at(v, 0, int(s.Slot[e]))
		}
	}
	return &weight{m: m}
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
