package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"peft/tensor/internal/backend"
)

// A DType is how the numbers of a frozen weight are stored.
type DType = backend.DType

// The storages of a frozen weight.
const (
	F32  = backend.F32
	F64  = backend.F64
	BF16 = backend.BF16
	F16  = backend.F16
	I8   = backend.I8 // with a scale per row: W[i][j] = scale[i]·int8
)

// A Weight is a frozen matrix [out×in] in some storage. It never changes, so what a device wants prepared is prepared once, whoever comes first;
// many goroutines may use it.
type Weight struct {
	storage  backend.Storage // without data once a device has copied it
	mu       sync.Mutex
	prepared map[*Device]backend.Weight
	constant map[*Device]*Tensor
	holder   *Device // which has copied the data
	copied   func()
}

// NewWeight is a weight over data as a file holds it: rows·cols little-endian numbers, row after row, and for I8 a scale per row. The data must not change. It is not copied; but where a device
// wants numbers in an order of its own it copies them, and the weight then lets go of the data.
func NewWeight(t DType, rows, cols int, data []byte, scale []float32) (*Weight, error) {
	if rows < 0 || cols < 0 || cols > 0 && rows > math.MaxInt/t.Size()/cols {
		return nil, fmt.Errorf("tensor: weight [%d %d] of %s: got %d bytes, want sizes that memory can have", rows, cols, t, len(data))
	}
	if want := rows * cols * t.Size(); len(data) != want {
		return nil, fmt.Errorf("tensor: weight [%d %d] of %s: got %d bytes, want %d", rows, cols, t, len(data), want)
	}
	if t == I8 && len(scale) != rows {
		return nil, fmt.Errorf("tensor: weight [%d %d] of %s: got %d scales, want one a row", rows, cols, t, len(scale))
	}
	return &Weight{storage: backend.Storage{Type: t, Rows: rows, Cols: cols, Data: data, Scale: scale}}, nil
}

// WeightOf is a weight that holds the given numbers as F32.
func WeightOf(values []float32, rows, cols int) *Weight {
	w, err := NewWeight(F32, rows, cols, bytesOf(values), nil)
	if err != nil {
		panic(&ShapeError{Op: "WeightOf", Got: sprint(len(values)) + " values", Want: sprint(rows*cols) + " for shape " + sprint([]int{rows, cols})})
	}
	return w
}

// bytesOf is numbers as F32 storage.
func bytesOf(values []float32) []byte {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return data
}

// Size is [out, in].
func (w *Weight) Size() (out, in int) { return w.storage.Rows, w.storage.Cols }

// Type is how the numbers are stored.
func (w *Weight) Type() DType { return w.storage.Type }

// Data is the stored numbers, and the scales of I8. They must not be changed.
func (w *Weight) Data() (data []byte, scale []float32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.data(), w.storage.Scale
}

// Copied makes the weight call f whenever a device has copied all its numbers: the memory of the data that it was made of may then be given back, if the data can be had again.
func (w *Weight) Copied(f func()) { w.copied = f }

// data is the stored numbers, or the same from the device that has them.
func (w *Weight) data() []byte {
	if w.holder == nil {
		return w.storage.Data
	}
	t := hold(w.holder, []int{w.storage.Rows, w.storage.Cols})
	defer t.data.release()
	w.holder.Dequantize(t.mat(), w.prepared[w.holder])
	values := t.Float32s()
	if w.storage.Type != BF16 {
		return bytesOf(values)
	}
	return appendHalves(make([]byte, 0, 2*len(values)), values, func(v float32) uint16 { return uint16(math.Float32bits(v) >> 16) }) // the lower bits are zero
}

// letGo lets go of the data, which a device has copied.
func (w *Weight) letGo(d *Device) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holder == nil {
		w.holder, w.storage.Data = d, nil
	}
	w.tell()
}

func (w *Weight) tell() {
	if w.copied != nil {
		w.copied()
	}
}

// on is the weight as d wants it.
func (w *Weight) on(d *Device) backend.Weight {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.prepared[d]
	if p == nil {
		s := w.storage
		s.Data = w.data()
		if s.Type == F32 || s.Type == BF16 {
			s.Copied = func() { w.letGo(d) }
		}
		p = d.Prepare(s)
		if w.prepared == nil {
			w.prepared = map[*Device]backend.Weight{}
		}
		w.prepared[d] = p
	}
	return p
}

// Constant is the whole weight as a tensor [out×in] that wants no gradient; made once a device. For vectors: a large matrix is better left to [Weight.Dense].
func (w *Weight) Constant(d *Device) *Tensor {
	p := w.on(d)
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.constant[d]
	if t == nil {
		t = d.empty([]int{w.storage.Rows, w.storage.Cols})
		d.Dequantize(t.mat(), p)
		if w.constant == nil {
			w.constant = map[*Device]*Tensor{}
		}
		w.constant[d] = t
	}
	return t
}

// Dense is the whole weight as a tensor [out×in] of a scope.
func (w *Weight) Dense(s *Scope) *Tensor {
	out := s.empty([]int{w.storage.Rows, w.storage.Cols})
	s.dev.Dequantize(out.mat(), w.on(s.dev))
	return out
}

// Param is a copy of the weight in a shape, which wants a gradient; it lives until it is garbage.
func (w *Weight) Param(d *Device, shape ...int) *Tensor {
	t := d.empty(shape)
	if t.Rows() != w.storage.Rows || t.Cols() != w.storage.Cols {
		misfit("Param", sprint([]int{w.storage.Rows, w.storage.Cols}), t)
	}
	d.Dequantize(t.mat(), w.on(d))
	w.tell()
	t.param = t
	return t
}

// Gather is the rows of the weight with the given numbers: an embedding.
func (w *Weight) Gather(s *Scope, ids []int32) *Tensor {
	checkIDs("Gather", ids, w.storage.Rows)
	out := s.empty([]int{len(ids), w.storage.Cols})
	s.dev.Gather(out.mat(), w.on(s.dev), ids)
	return out
}

// checkIDs panics if an id is no row of a matrix with n rows; a caller that cannot vouch for ids checks them first.
func checkIDs(op string, ids []int32, n int) {
	for _, id := range ids {
		if id < 0 || int(id) >= n {
			panic(&ShapeError{Op: op, Got: "row " + sprint(id), Want: "a row below " + sprint(n)})
		}
	}
}

// Ready has d make what products with the weight need, rather than the first product: where that takes the place of the data, both are there for a moment, which is better when little else is.
func (w *Weight) Ready(d *Device) {
	s := NewScope(d)
	defer s.Close()
	w.Linear(s.empty([]int{0, w.storage.Cols}), Affine{})
}

// Linear is f(x·Wᵀ + u·vᵀ + bias), see [Affine]. No gradient is formed for the weight and nothing is kept for it.
func (w *Weight) Linear(x *Tensor, a Affine) *Tensor { return a.apply(x, w) }
