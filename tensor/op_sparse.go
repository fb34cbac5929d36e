package tensor

import (
	"cmp"
	"math"
	"slices"

	"peft/tensor/internal/backend"
)

// Entries are the places of some entries of a matrix [out×in].
type Entries struct {
	flat []int32
	rows *backend.Entries // row after row
	cols *backend.Entries // column after column: of the transposed matrix
}

// NewEntries are entries of a matrix [out×in] by their numbers, counted row after row, in any order. It panics where a number is given twice or is beyond the matrix.
func NewEntries(out, in int, flat []int32) *Entries {
	if out*in > math.MaxInt32 {
		panic(&ShapeError{Op: "NewEntries", Got: sprint([]int{out, in}), Want: "at most 2³¹−1 entries in all"})
	}
	e := &Entries{flat: flat}
	e.rows = compress(out, in, flat, func(place int32) (i, j int32) { return place / int32(in), place % int32(in) })
	e.cols = compress(in, out, flat, func(place int32) (i, j int32) { return place % int32(in), place / int32(in) })
	return e
}

// Len is the number of entries.
func (e *Entries) Len() int { return len(e.flat) }

// size is [out, in].
func (e *Entries) size() (out, in int) { return e.rows.Rows, e.rows.Cols }

// compress sorts places by rows; at says in which row and column one is.
func compress(rows, cols int, flat []int32, at func(int32) (i, j int32)) *backend.Entries {
	e := &backend.Entries{Rows: rows, Cols: cols, Start: make([]int32, rows+1), Slot: make([]int32, len(flat)), Col: make([]int32, len(flat))}
	key := make([]int, len(flat))
	for n, place := range flat {
		if place < 0 || int(place) >= rows*cols {
			panic(&ShapeError{Op: "NewEntries", Got: "place " + sprint(place), Want: "a place below " + sprint(rows*cols)})
		}
		i, j := at(place)
		e.Start[i+1]++
		e.Slot[n], key[n] = int32(n), int(i)*cols+int(j)
	}
	for i := range rows {
		e.Start[i+1] += e.Start[i]
	}
	slices.SortFunc(e.Slot, func(a, b int32) int { return cmp.Compare(key[a], key[b]) })
	for n, slot := range e.Slot {
		if n > 0 && flat[slot] == flat[e.Slot[n-1]] {
			panic(&ShapeError{Op: "NewEntries", Got: "place " + sprint(flat[slot]) + " twice", Want: "different places"})
		}
		e.Col[n] = int32(key[slot] % cols)
	}
	return e
}

// A Sparse is a frozen weight W [out×in] with numbers V [n] added to some of its entries. No copy of the weight is made, and of its gradient only these entries.
type Sparse struct {
	W  *Weight
	At *Entries
	V  *Tensor
}

// Size is [out, in].
func (p Sparse) Size() (out, in int) { return p.W.Size() }

// Linear is f(x·(W+S)ᵀ + u·vᵀ + bias), S being zero but for the entries.
func (p Sparse) Linear(x *Tensor, a Affine) *Tensor {
	p.check("Linear")
	a.sparse = &p
	return a.apply(x, p.W)
}

// Gather is the rows with the given numbers. Entries of other rows have a gradient too: zero.
func (p Sparse) Gather(s *Scope, ids []int32) *Tensor {
	p.check("Gather")
	y := p.W.Gather(s, ids)
	var slots, places []int32
	for i, id := range ids {
		for e := p.At.rows.Start[id]; e < p.At.rows.Start[id+1]; e++ {
			slots = append(slots, p.At.rows.Slot[e])
			places = append(places, int32(i*y.Cols())+p.At.rows.Col[e])
		}
	}
	v := GatherRows(column(s.Use(p.V)), slots, nil)
	return Reshape(AddRows(column(y), v, places), y.shape...)
}

// Dense is the whole matrix.
func (p Sparse) Dense(s *Scope) *Tensor {
	p.check("Dense")
	return AddEntries(p.W.Dense(s), p.At, s.Use(p.V))
}

func (p Sparse) check(op string) {
	out, in := p.W.Size()
	if o, i := p.At.size(); o*i != out*in || p.V.Len() != p.At.Len() {
		misfit(op, "a weight of "+sprint([]int{o, i})+" and "+sprint(p.At.Len())+" numbers", p.V)
	}
}

// AddEntries is w [out×in] with v [n] added to some of its entries.
func AddEntries(w *Tensor, at *Entries, v *Tensor) *Tensor {
	return Reshape(AddRows(column(w), column(v), at.flat), w.shape...)
}

// TakeEntries is some entries of w [out×in], as [n].
func TakeEntries(w *Tensor, at *Entries) *Tensor {
	return Reshape(GatherRows(column(w), at.flat, nil), at.Len())
}

// column is the numbers of x one below the other.
func column(x *Tensor) *Tensor { return Reshape(x, x.Len(), 1) }

// on is the weight with the numbers added, as d wants it.
func (p *Sparse) on(d *Device) backend.Weight {
	return d.Amend(p.W.on(d), p.At.rows, p.At.cols, *vector("Linear", p.V, p.At.Len()))
}

// back lets dz, the gradient by x·Sᵀ, flow to V: the entries of dzᵀ·x.
func (p *Sparse) back(f *flow, dz backend.Mat, x *Tensor) {
	f.to(p.V, func(dst backend.Mat, beta float64) { f.dev().SparseDot(row(dst), dz, x.mat(), p.At.rows, beta) })
}
