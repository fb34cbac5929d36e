package peft

// A RowWiser is a Delta that may treat each row by itself: its value for a row then depends on that row alone, whatever other rows there are. One that is no RowWiser may read them all.
type RowWiser interface {
	Delta
	RowWise() bool
}

// RowWise reports whether all that the pass adds in a block, and in no block, treats each row by itself. Then a model need compute only those rows of its last block that are read. Keys and
// values are of all rows, so rows in front of them do no harm.
func (p *Pass) RowWise(layer int) bool {
	for _, q := range p.patches {
		for s := range q.rows {
			if _, attends := q.sites.Find(s.Name()).(*Attention); s.Layer() == layer && !attends {
				return false
			}
		}
	}
	return p.addsRowWise(layer)
}

// addsRowWise reports the same of the deltas alone.
func (p *Pass) addsRowWise(layer int) bool {
	for _, q := range p.patches {
		for s, all := range q.deltas {
			if n := s.Layer(); (n == layer || n < 0) && !rowWise(all) {
				return false
			}
		}
	}
	return true
}

func rowWise(all []placed) bool {
	for _, d := range all {
		if r, ok := d.Delta.(RowWiser); !ok || !r.RowWise() {
			return false
		}
	}
	return true
}
