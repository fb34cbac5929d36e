package backendtest

import "peft/tensor/internal/backend"

func sparseCases() []testCase {
	return []testCase{
		{"SparseMulT", 60, sparseMulT},
		{"SparseDot", 60, sparseDot},
	}
}

// entries are some places of a matrix, with slots in any order, and the largest number of them in a row.
func (t *trial) entries(rows, cols int) (s *backend.Entries, longest int) {
	s = &backend.Entries{Rows: rows, Cols: cols, Start: []int32{0}}
	share := t.rng.Float64() * t.rng.Float64()
	for range rows {
		for j := range cols {
			if t.rng.Float64() < share {
				s.Col = append(s.Col, int32(j))
			}
		}
		longest = max(longest, len(s.Col)-int(s.Start[len(s.Start)-1]))
		s.Start = append(s.Start, int32(len(s.Col)))
	}
	for _, e := range t.rng.Perm(len(s.Col)) {
		s.Slot = append(s.Slot, int32(e))
	}
	return s, longest
}

// sparseMulT adds up as many products as a row has entries.
func sparseMulT(t *trial) {
	n, rows, cols := t.sizeOrNone(), t.sizeOrNone(), t.sizeOrNone()
	s, longest := t.entries(rows, cols)
	dst, x, v := t.inout(n, rows), t.in(n, cols), t.in(1, len(s.Col))
	t.do(func(d *side) { d.SparseMulT(d.of(dst), d.of(x), s, d.of(v)) })
	t.summed(dst, longest+2)
}

// sparseDot adds up as many products as there are rows.
func sparseDot(t *trial) {
	n, rows, cols, beta := t.sizeOrNone(), t.sizeOrNone(), t.sizeOrNone(), t.beta()
	s, _ := t.entries(rows, cols)
	dv, dy, x := t.out(1, len(s.Col), beta), t.in(n, rows), t.in(n, cols)
	t.do(func(d *side) { d.SparseDot(d.of(dv), d.of(dy), d.of(x), s, beta) })
	t.summed(dv, n+3)
}
