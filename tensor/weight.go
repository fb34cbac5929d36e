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
	storage  backend.Storage
	mu       sync.Mutex
	prepared map[*Device]backend.Weight
	constant map[*Device]*Tensor
}

// NewWeight is a weight over data as a file holds it: rows·cols little-endian numbers, row after row, and for I8 a scale per row. The data is
// not copied and must not change.
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
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	w, err := NewWeight(F32, rows, cols, data, nil)
	if err != nil {
		panic(&ShapeError{Op: "WeightOf", Got: sprint(len(values)) + " values", Want: sprint(rows*cols) + " for shape " + sprint([]int{rows, cols})})
	}
	return w
}

// Size is [out, in].
func (w *Weight) Size() (out, in int) { return w.storage.Rows, w.storage.Cols }

// Type is how the numbers are stored.
func (w *Weight) Type() DType { return w.storage.Type }

// Data is the stored numbers, and the scales of I8. They must not be changed.
func (w *Weight) Data() (data []byte, scale []float32) { return w.storage.Data, w.storage.Scale }

// on is the weight as d wants it.
func (w *Weight) on(d *Device) backend.Weight {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.prepared[d]
	if p == nil {
		p = d.Prepare(w.storage)
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

// Linear is f(x·Wᵀ + u·vᵀ + bias), see [Affine]. No gradient is formed for the weight and nothing is kept for it.
func (w *Weight) Linear(x *Tensor, a Affine) *Tensor { return a.apply(x, w) }
