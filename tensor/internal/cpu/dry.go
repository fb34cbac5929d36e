package cpu

import (
	"sync/atomic"

	"peft/tensor/internal/backend"
)

// A Dry backend computes nothing and takes no memory, but counts the memory that a [Backend] takes for the same calls: buffers by their classes, the panels of products, and weights. What is
// read from it are zeros.
type Dry struct {
	cpu              *Backend
	stored, prepared atomic.Int64
}

var _ backend.Backend = (*Dry)(nil)

// NewDry returns a dry backend that counts for [New] with as many threads.
func NewDry(threads int) *Dry { return countFor(New(threads)) }

// countFor counts for b, which it makes dry.
func countFor(b *Backend) *Dry {
	b.pool.dry = true
	return &Dry{cpu: b}
}

// Name is "shapes".
func (*Dry) Name() string { return "shapes" }

// Live is the bytes of all buffers in use.
func (d *Dry) Live() int64 { return d.cpu.Live() }

// Peak is the largest number that Live has been.
func (d *Dry) Peak() int64 { return d.cpu.Peak() }

// Held is the most that all buffers have been, in use or idle.
func (d *Dry) Held() int64 { return d.cpu.Held() }

// Weights is the bytes of all prepared weights as they are stored, and of what was made of them and kept.
func (d *Dry) Weights() (stored, prepared int64) { return d.stored.Load(), d.prepared.Load() }

// Alloc counts a buffer of n numbers.
func (d *Dry) Alloc(n int) backend.Buffer { return d.cpu.Alloc(n) }

// Lasting counts a buffer of n numbers.
func (d *Dry) Lasting(n int) backend.Buffer { return d.cpu.Lasting(n) }

// Free gives a buffer back; it panics at the second time.
func (d *Dry) Free(b backend.Buffer) { d.cpu.Free(b) }

// Prepare counts the storage, and the numbers that are made of it where it cannot be used as it lies.
func (d *Dry) Prepare(s backend.Storage) backend.Weight {
	d.stored.Add(int64(len(s.Data) + 4*len(s.Scale)))
	w, f := &weight{Storage: s}, &numbers{}
	if s.Type == backend.F32 || s.Type == backend.F64 {
		f.rows = []float32{}
		if s.Type == backend.F64 || !inPlace(s.Data) {
			d.prepared.Add(4 * int64(s.Rows*s.Cols))
		}
	}
	w.numbers.Store(f)
	return w
}

// MatMul counts the panels of y.
func (d *Dry) MatMul(dst, x, y backend.Mat, _, _ float64) {
	p := product{c: outline(dst), a: outline(x), b: source{view: outline(y)}}
	if p.c.rs == 1 && p.c.cs != 1 || d.cpu.kernels.thin(p.c, p.a) {
		p.c, p.a, p.b.view = p.c.t(), p.b.t(), p.a.t()
	}
	d.product(p)
}

// MulT counts the panels of w.
func (d *Dry) MulT(dst, x backend.Mat, w backend.Weight, e backend.Epilogue) {
	p := product{c: outline(dst), a: outline(x), b: d.right(d.whole(w, x.Rows), true)}
	if e.Low != nil {
		p.u = outline(e.Low.U)
	}
	d.product(p)
}

// Amend is W + S.
func (d *Dry) Amend(w backend.Weight, s, t *backend.Entries, v backend.Mat) backend.Weight {
	return d.cpu.Amend(w, s, t, v)
}

// whole is w, without its entries where these are multiplied by themselves.
func (d *Dry) whole(w backend.Weight, rows int) backend.Weight {
	if a, yes := d.cpu.apart(w, rows); yes {
		return a.weight
	}
	return w
}

// right counts the panels of Wᵀ that [Backend.right] keeps, and the storage that it lets go of.
func (d *Dry) right(weights backend.Weight, transposed bool) source {
	if a, ok := weights.(*amended); ok {
		s := d.right(a.weight, transposed)
		s.entries = a.s
		return s
	}
	w := weights.(*weight)
	if inPairs := d.cpu.inPairs(w); inPairs || transposed && w.float32s() {
		w.once.Do(func() {
			f := &numbers{panels: []float32{}}
			if inPairs {
				f = &numbers{pairs: []uint32{}}
			}
			w.numbers.Store(f)
			s := sourceOf(w, true)
			d.prepared.Add(4 * int64(d.cpu.packedSize(&s)))
			if w.Type == backend.F32 || inPairs {
				d.stored.Add(-int64(len(w.Data)))
			}
		})
	}
	return sourceOf(w, transposed)
}

// Mul counts the panels of w.
func (d *Dry) Mul(dst, dy backend.Mat, w backend.Weight, low *backend.LowRank, _ float64) {
	p := product{c: outline(dst), a: outline(dy), b: d.right(d.whole(w, dy.Rows), false)}
	if low != nil {
		p.u = outline(low.U)
	}
	d.product(p)
}

// product counts the panels that are made for the time of p.
func (d *Dry) product(p product) {
	if p.c.rows == 0 || p.c.cols == 0 {
		return
	}
	if size := d.cpu.plan(&p); size > 0 {
		d.Free(d.Alloc(size))
	}
}

// outline is the view of m without its numbers.
func outline(m backend.Mat) view {
	return view{rows: m.Rows, cols: m.Cols, rs: m.RowStride, cs: m.ColStride}
}
