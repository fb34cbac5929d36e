package lora

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"peft/peft"
	"peft/tensor"
)

// The initialisations of LoRA that begin with something else than zero. After the first two the base is W − s·B₀·A₀, with A₀ and B₀ the values at the start, so that the model as a whole is
// as it was; Hugging Face PEFT finds A₀ and B₀ again when it reads a file of such a patch, and so does [peft.Load].
const (
	PiSSA      Init = "pissa"      // the largest singular values and vectors of W (Meng et al. 2024, arXiv:2404.02948)
	OLoRA      Init = "olora"      // the first columns of Q and rows of R, W = Q·R (Büyükakyüz 2024, arXiv:2406.01775)
	Orthogonal Init = "orthogonal" // random factors with B·A = 0; the rank must be even
)

// Two starts of Hugging Face PEFT that are made of data. Patches that it has begun so are read as any other; fresh ones are not made.
const (
	EVA    Init = "eva"     // directions of what the maps read (Paischer et al. 2024, arXiv:2410.07170)
	LoRAGA Init = "lora_ga" // directions of the loss's gradient (Wang et al. 2024, arXiv:2407.05000)
)

func (i Init) fromData() bool { return i == EVA || i == LoRAGA }

// start makes the first values of A and B, and whether they are taken from W.
func (c Config) start(l *peft.Linear, d *tensor.Device, r int, scale float64, rng peft.Rand) (a, b []float64, taken bool, err error) {
	switch c.Init {
	case Gaussian:
		return peft.Normal(rng, r*l.In, 1/float64(r)), nil, false, nil
	case Orthogonal:
		a, b, err = orthogonal(rng, r, l.In, l.Out)
		return a, b, false, err
	case PiSSA, OLoRA:
		if r > min(l.In, l.Out) {
			return nil, nil, false, fmt.Errorf("rank is %d, above the smaller side of a matrix of %v", r, l.W.Shape)
		}
		if w := l.W.Values(d); w != nil {
			a, b = principal(c.Init, mat.NewDense(l.Out, l.In, w), r, scale)
		}
		return a, b, true, nil
	}
	return kaiming(rng, r, l.In), c.Init.last(func() []float64 { return kaiming(rng, l.Out, r) }), false, nil
}

// orthogonal makes A and B of random matrices times the even and the odd rows of an orthogonal one, a tenth as large.
func orthogonal(rng peft.Rand, r, in, out int) (a, b []float64, err error) {
	if r%2 != 0 {
		return nil, nil, fmt.Errorf("rank is %d, but must be even for Init %q", r, Orthogonal)
	}
	var qr mat.QR
	qr.Factorize(mat.NewDense(r, r, peft.Normal(rng, r*r, 1)))
	var q mat.Dense
	qr.QTo(&q)
	half := func(first int) *mat.Dense {
		h := mat.NewDense(r/2, r, nil)
		for i := range r / 2 {
			h.SetRow(i, q.RawRowView(2*i+first))
		}
		return h
	}
	var left, right mat.Dense
	left.Mul(half(0).T(), mat.NewDense(r/2, in, peft.Normal(rng, in*r/2, 0.1)))
	right.Mul(mat.NewDense(out, r/2, peft.Normal(rng, out*r/2, 0.1)), half(1))
	return left.RawMatrix().Data, right.RawMatrix().Data, nil
}

// principal is A and B of rank r with s·B·A, or B·A for OLoRA, the part of W that they are to take over.
func principal(i Init, w *mat.Dense, r int, scale float64) (a, b []float64) {
	out, in := w.Dims()
	left, right := mat.NewDense(out, r, nil), mat.NewDense(r, in, nil)
	if i == OLoRA {
		var qr mat.QR
		qr.Factorize(w.Slice(0, out, 0, r)) // the first columns of Q depend on the first columns of W alone
		var q mat.Dense
		qr.QTo(&q)
		left.Copy(&q)
		right.Mul(left.T(), w)
		return right.RawMatrix().Data, left.RawMatrix().Data
	}
	var svd mat.SVD
	svd.Factorize(w, mat.SVDThin)
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	left.Copy(&u)
	right.Copy(v.T())
	share(left, right, svd.Values(nil), scale)
	return right.RawMatrix().Data, left.RawMatrix().Data
}

// share gives both factors the roots of the singular values, divided by s.
func share(left, right *mat.Dense, values []float64, scale float64) {
	r, _ := right.Dims()
	roots := mat.NewDiagDense(r, nil)
	for i := range r {
		roots.SetDiag(i, math.Sqrt(values[i]/scale))
	}
	left.Mul(left, roots)
	right.Mul(roots, right)
}

// residual is the stand-in W − s·B₀·A₀.
type residual struct {
	a, b  *tensor.Tensor
	scale float64
}

// Value is W − s·B₀·A₀ over what stood there before.
func (v residual) Value(p *peft.Pass, _ *peft.Frozen, base tensor.Map) tensor.Map {
	return lessened{base, p.Scope().Use(v.a), p.Scope().Use(v.b), v.scale}
}

// lessened is the map W − s·B·A, which leaves W in its storage.
type lessened struct {
	tensor.Map
	a, b  *tensor.Tensor
	scale float64
}

// Linear is f(x·(W − s·B·A)ᵀ + …).
func (m lessened) Linear(x *tensor.Tensor, a tensor.Affine) *tensor.Tensor {
	less := &tensor.LowRank{X: x, A: m.a, B: m.b, Scale: -m.scale}
	if a.Low == nil {
		a.Low = less
		return m.Map.Linear(x, a)
	}
	y := m.Map.Linear(x, tensor.Affine{Bias: a.Bias, Low: a.Low})
	return tensor.Apply(a.Func, tensor.Add(y, less.Value()))
}

// Gather is the rows with the given numbers.
func (m lessened) Gather(s *tensor.Scope, ids []int32) *tensor.Tensor {
	less := tensor.MatMul(tensor.GatherRows(s.Use(m.b), ids, nil), m.a)
	return tensor.Sub(m.Map.Gather(s, ids), tensor.Scale(less, m.scale))
}

// Dense is the whole matrix.
func (m lessened) Dense(s *tensor.Scope) *tensor.Tensor {
	return tensor.Sub(m.Map.Dense(s), tensor.Scale(tensor.MatMul(s.Use(m.b), s.Use(m.a)), m.scale))
}
