package lora

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"peft/peft"
	"peft/tensor"
)

// ReFT edits the hidden states that some blocks put out, at the first and the last rows of each sequence, in a subspace of few dimensions (Wu et al. 2024, arXiv:2404.03592):
//
//	h ← h + (f(h·Wᵀ + b) − h·Rᵀ)·R,  W, R [r×d]
//
// With Orthogonal the rows of R are orthonormal: LoReFT. Otherwise it is NoReFT, and DiReFT where h·Rᵀ is not subtracted either. A fresh patch changes the model. Folders are those of
// AdapterHub's library.
type ReFT struct {
	Name       string  // of the adapter, a part of its keys in files; empty means "adapter"
	Rank       int     // r, at least 1
	First      int     // how many rows are edited at the beginning of a sequence
	Last       int     // and at its end; where both meet, that of the end holds
	Layers     []int   // the blocks, by number; nil means all
	Orthogonal bool    // the rows of R are orthonormal
	Tied       bool    // one edit for both ends
	Direct     bool    // h·Rᵀ is not subtracted
	Activation string  // f, as Hugging Face names it; empty means none
	Dropout    float64 // on edited rows, in training
	Head       bool    // train the model's head whole

	filed bool // as the library has it: blocks that there are not do not matter, and there may be no rows
}

// Attach puts edits after the chosen blocks.
func (c ReFT) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	q, found := peft.NewPatch(s), 0
	for x := range s.All() {
		h, ok := x.(*peft.Hidden)
		if !ok || x.Layer() < 0 || c.Layers != nil && !slices.Contains(c.Layers, x.Layer()) {
			continue
		}
		found++
		d := &edits{ReFT: c, key: h.Name() + "/reft", units: []*edit{c.unit(q, h, 0, rng)}}
		if !c.Tied {
			d.units = append(d.units, c.unit(q, h, 1, rng))
		}
		q.Add(h, peft.Out, d)
	}
	if found == 0 || found < len(c.Layers) && !c.filed {
		return nil, fmt.Errorf("lora: Layers are %v, but the model has not so many blocks with a place after them", c.Layers)
	}
	if c.Head {
		q.TrainHead()
	}
	return q, nil
}

func (c ReFT) check() error {
	if _, err := c.function(); err != nil {
		return fmt.Errorf("lora: %w", err)
	}
	least := 1
	if c.filed {
		least = 0
	}
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), atLeast("First", c.First, 0), atLeast("Last", c.Last, 0), atLeast("First + Last", c.First+c.Last, least), probability("Dropout", c.Dropout))
}

// function is f.
func (c ReFT) function() (tensor.Func, error) { return peft.Activation(cmp.Or(c.Activation, "linear")) }

// unit makes the parameters of one edit.
func (c ReFT) unit(q *peft.Patch, h *peft.Hidden, n int, rng peft.Rand) *edit {
	name, r, d := fmt.Sprintf("%s/units.%d.", h.Name(), n), c.Rank, h.Size
	u := &edit{direct: c.Direct}
	u.f, _ = c.function()
	u.w = q.NewParam(name+"learned_source.weight", kaiming(rng, r, d), r, d)
	u.b = q.NewParam(name+"learned_source.bias", peft.Uniform(rng, r, 1/math.Sqrt(float64(d))), r)
	if !c.Orthogonal {
		u.r = q.NewParam(name+"projection.weight", kaiming(rng, r, d), r, d)
		return u
	}
	start := make([]float64, r*d)
	for i := range r {
		start[i*d+i] = -1
	}
	u.r = q.NewParam(name+"projection.parametrizations.weight.original", start, r, d)
	u.base = q.NewBuffer(name+"projection.parametrizations.weight.0.base", turn(rng, d), d, d)
	return u
}

// turn is a random orthogonal matrix [n×n].
func turn(rng peft.Rand, n int) []float64 {
	var qr mat.QR
	var q mat.Dense
	qr.Factorize(mat.NewDense(n, n, peft.Normal(rng, n*n, 1)))
	qr.QTo(&q)
	return q.RawMatrix().Data
}

// edits are those after one block: one for both ends of a sequence, or one for each.
type edits struct {
	ReFT
	key   string
	units []*edit
}

// Kind says why it has no Fold.
func (*edits) Kind() string { return "ReFT, which edits some positions and not others," }

// Forward is what the edits change.
func (d *edits) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	front, back := d.rows(t.X.Layout())
	ends := [][]int32{append(front, back...)}
	if !d.Tied {
		ends = [][]int32{front, back}
	}
	sum := p.Scope().Tensor(nil, t.X.Rows(), t.X.Cols()).WithLayout(t.X.Layout())
	if d.First+d.Last == 0 {
		return sum // out of reach: not even a gradient of zero
	}
	for i, rows := range ends {
		h := tensor.GatherRows(t.X, rows, nil)
		edited := p.Dropout(tensor.Add(h, d.units[i].change(p, h)), d.Dropout, d.key)
		sum = tensor.AddRows(sum, tensor.Sub(edited, h), rows)
	}
	return sum
}

// rows are those at the beginnings of sequences, and those at their ends. No row is in both.
func (d *edits) rows(l *tensor.Layout) (front, back []int32) {
	for s := range l.Sequences() {
		lo, hi := l.Bounds(s)
		end := max(lo, hi-d.Last)
		for i := lo; i < min(lo+d.First, end); i++ {
			front = append(front, int32(i))
		}
		for i := end; i < hi; i++ {
			back = append(back, int32(i))
		}
	}
	return front, back
}

// edit is (f(h·Wᵀ + b) − h·Rᵀ)·R.
type edit struct {
	w, b, r, base *peft.Param
	direct        bool
	f             tensor.Func
}

func (u *edit) change(p *peft.Pass, h *tensor.Tensor) *tensor.Tensor {
	r := p.Once(u, func() *tensor.Tensor { return u.projection(p) })
	source := tensor.Apply(u.f, tensor.Add(tensor.MatMulT(h, u.w.In(p)), tensor.Reshape(u.b.In(p), 1, u.b.Len())))
	if !u.direct {
		source = tensor.Sub(source, tensor.MatMulT(h, r))
	}
	return tensor.MatMul(source, r)
}

// projection is R. Orthonormal rows are those of a chain of reflections, turned by a fixed orthogonal matrix, as PyTorch parametrises them: the numbers of the vectors stand right of the
// diagonal, which holds signs.
func (u *edit) projection(p *peft.Pass) *tensor.Tensor {
	x := u.r.In(p)
	if u.base == nil {
		return x
	}
	r, d := x.Rows(), x.Cols()
	right, one, signs, values := make([]float64, r*d), make([]float64, r*d), make([]float64, r), x.Float64s()
	for i := range r {
		one[i*d+i], signs[i] = 1, math.Trunc(values[i*d+i])
		for j := i + 1; j < d; j++ {
			right[i*d+j] = 1
		}
	}
	rows := p.Scope().Tensor(one, r, d)
	vectors := tensor.Add(tensor.Mul(x, p.Scope().Tensor(right, r, d)), rows)
	turned := tensor.Mul(reflect(rows, unit(vectors)), p.Scope().Tensor(signs, r, 1))
	return tensor.MatMulT(turned, u.base.In(p))
}

// HubName is the name of the adapter.
func (c ReFT) HubName() string { return cmp.Or(c.Name, "adapter") }
