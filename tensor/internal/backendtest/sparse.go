package backendtest

import "peft/tensor/internal/backend"

func sparseCases() []testCase {
	return []testCase{
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

// An amendment is numbers that are added to some entries of a weight, nothing if v is nil.
type amendment struct {
	s, t *backend.Entries
	v    *operand
}

// amendment is one of a weight [out×in], or none, and the largest number of entries in a row or a column.
func (t *trial) amendment(out, in int) (a amendment, longest int) {
	if !t.chance(3) {
		return a, 0
	}
	a.s, longest = t.entries(out, in)
	a.t = turnedEntries(a.s)
	for j := range in {
		longest = max(longest, int(a.t.Start[j+1]-a.t.Start[j]))
	}
	a.v = t.in(1, len(a.s.Col))
	return a, longest
}

// on is w with the numbers added.
func (a amendment) on(s *side, w backend.Weight) backend.Weight {
	if a.v == nil {
		return w
	}
	return s.Amend(w, a.s, a.t, s.of(a.v))
}

// turnedEntries are those of the transposed matrix.
func turnedEntries(s *backend.Entries) *backend.Entries {
	t := &backend.Entries{Rows: s.Cols, Cols: s.Rows, Start: []int32{0}}
	for j := range s.Cols {
		for i := range s.Rows {
			for e := s.Start[i]; e < s.Start[i+1]; e++ {
				if int(s.Col[e]) == j {
					t.Col, t.Slot = append(t.Col, int32(i)), append(t.Slot, s.Slot[e])
				}
			}
		}
		t.Start = append(t.Start, int32(len(t.Col)))
	}
	return t
}

// sparseDot adds up as many products as there are rows.
func sparseDot(t *trial) {
	n, rows, cols, beta := t.sizeOrNone(), t.sizeOrNone(), t.sizeOrNone(), t.beta()
	s, _ := t.entries(rows, cols)
	dv, dy, x := t.out(1, len(s.Col), beta), t.in(n, rows), t.in(n, cols)
	t.do(func(d *side) { d.SparseDot(d.of(dv), d.of(dy), d.of(x), s, beta) })
	t.summed(dv, n+3)
}
