package sparsemask

import (
	"peft/peft"
	"peft/tensor"
)

// A watch sees how one matrix of the model is used in a pass. It stands in for the matrix without a copy, and adds zeros to what comes out: the gradient by those, with what went in, is
// all that the matrix's own gradient is made of. So of the model's gradient no more is formed at a time than a few rows.
type watch struct {
	sum    *tensor.Tensor // squared gradients so far [out×in]
	maps   []use
	tables []use
	wholes []use
}

// A use is one use of a matrix: as a linear map of x, as a table of which ids are looked up, or as a whole.
type use struct {
	x     *tensor.Tensor // [N×in]
	ids   []int32
	zeros *tensor.Tensor // added to the outcome
}

// Value is base, watched.
func (w *watch) Value(_ *peft.Pass, _ *peft.Frozen, base tensor.Map) tensor.Map {
	return watched{base, w}
}

type watched struct {
	tensor.Map
	w *watch
}

// Linear is f(x·Wᵀ + …).
func (m watched) Linear(x *tensor.Tensor, a tensor.Affine) *tensor.Tensor {
	y := m.Map.Linear(x, tensor.Affine{Low: a.Low})
	u := use{x: detached(x), zeros: x.Device().Param(nil, y.Rows(), y.Cols())}
	m.w.maps = append(m.w.maps, u)
	y = tensor.Add(y, u.zeros)
	if a.Bias != nil {
		y = tensor.Add(y, tensor.Reshape(a.Bias, 1, a.Bias.Len()))
	}
	return tensor.Apply(a.Func, y)
}

// Gather is the rows with the given numbers.
func (m watched) Gather(s *tensor.Scope, ids []int32) *tensor.Tensor {
	y := m.Map.Gather(s, ids)
	u := use{ids: ids, zeros: s.Device().Param(nil, y.Rows(), y.Cols())}
	m.w.tables = append(m.w.tables, u)
	return tensor.Add(y, u.zeros)
}

// Dense is the whole matrix.
func (m watched) Dense(s *tensor.Scope) *tensor.Tensor {
	y := m.Map.Dense(s)
	u := use{zeros: s.Device().Param(nil, y.Rows(), y.Cols())}
	m.w.wholes = append(m.w.wholes, u)
	return tensor.Add(y, u.zeros)
}

// detached is a copy of the numbers of x that outlives its pass.
func detached(x *tensor.Tensor) *tensor.Tensor {
	c := x.Device().Constant(nil, x.Rows(), x.Cols())
	c.Blend(0, 1, tensor.Reshape(tensor.Scale(x.Detach(), 1), x.Rows(), x.Cols()))
	return c
}

// add adds a share of the squared gradient of the pass that was watched, and forgets the pass.
func (w *watch) add(g tensor.Grads, share float64) {
	if len(w.maps)+len(w.wholes) == 0 {
		w.addRows(g, share)
	} else {
		w.addBlocks(g, share)
	}
	w.forget()
}

// forget forgets what was seen.
func (w *watch) forget() { w.maps, w.tables, w.wholes = nil, nil, nil }

// addRows is add for a mere table: only the rows that were looked up have a gradient.
func (w *watch) addRows(g tensor.Grads, share float64) {
	slot := map[int32]int32{}
	for _, u := range w.tables {
		for _, id := range u.ids {
			if _, ok := slot[id]; !ok {
				slot[id] = int32(len(slot))
			}
		}
	}
	s := tensor.NewScope(w.sum.Device()).NoGrad()
	defer s.Close()
	rows := s.Tensor(nil, len(slot), w.sum.Cols())
	for _, u := range w.tables {
		if dy := g.Of(u.zeros); dy != nil {
			to := make([]int32, len(u.ids))
			for i, id := range u.ids {
				to[i] = slot[id]
			}
			rows = tensor.AddRows(rows, s.Use(dy), to)
		}
	}
	for id, at := range slot {
		square(tensor.Rows(w.sum, int(id), int(id)+1), tensor.Rows(rows, int(at), int(at)+1), share)
	}
}

// atOnce is how many numbers of a gradient are made at a time: what the second-level cache holds.
const atOnce = 1 << 17

// addBlocks makes the gradient some rows at a time.
func (w *watch) addBlocks(g tensor.Grads, share float64) {
	step := max(1, atOnce/w.sum.Cols())
	for lo := 0; lo < w.sum.Rows(); lo += step {
		hi := min(lo+step, w.sum.Rows())
		s := tensor.NewScope(w.sum.Device()).NoGrad()
		if dw := w.rows(s, g, lo, hi); dw != nil {
			square(tensor.Rows(w.sum, lo, hi), dw, share)
		}
		s.Close()
	}
}

// rows are rows lo to hi of the gradient, summed over all uses; nil where none has one.
func (w *watch) rows(s *tensor.Scope, g tensor.Grads, lo, hi int) (sum *tensor.Tensor) {
	add := func(x *tensor.Tensor) {
		if sum == nil {
			sum = x
		} else {
			sum = tensor.Add(sum, x)
		}
	}
	for _, u := range w.maps {
		if dy := g.Of(u.zeros); dy != nil {
			add(tensor.MatMul(tensor.Transpose(tensor.Columns(s.Use(dy), lo, hi)), u.x))
		}
	}
	for _, u := range w.wholes {
		if dy := g.Of(u.zeros); dy != nil {
			add(tensor.Rows(s.Use(dy), lo, hi))
		}
	}
	for _, u := range w.tables {
		if dy := g.Of(u.zeros); dy != nil {
			add(tensor.AddRows(s.Tensor(nil, hi-lo, w.sum.Cols()), s.Use(dy), within(u.ids, lo, hi)))
		}
	}
	return sum
}

// within are ids counted from lo, and −1 for those that are not below hi or above.
func within(ids []int32, lo, hi int) []int32 {
	to := make([]int32, len(ids))
	for i, id := range ids {
		to[i] = -1
		if int(id) >= lo && int(id) < hi {
			to[i] = id - int32(lo)
		}
	}
	return to
}

// square makes sum += share·dx².
func square(sum, dx *tensor.Tensor, share float64) {
	s := tensor.NewScope(dx.Device()).NoGrad()
	defer s.Close()
	dx = s.Use(dx)
	sum.Blend(1, share, tensor.Mul(dx, dx))
}
