package tensor

import (
	"math"
	"slices"

	"peft/tensor/internal/backend"
)

// A Mask says which keys a query sees, beside those of its own sequence only: all, where the zero value.
type Mask struct {
	Causal bool
	Window int // if > 0, keys less than Window positions back
	Always int // the first Always keys of a sequence are seen in any case
}

// Attention is the numbers of one attention over rows [N×heads·size].
type Attention struct {
	Heads, KVHeads int     // KVHeads 0: as many as Heads
	Scale          float64 // 0: 1/√size
	Mask           Mask
	Softcap        float64 // if > 0, scores become cap·tanh(score/cap)
	Bias           *Tensor // added to scores [Heads×buckets], taken at Bucket; may be nil
	Bucket         []int32 // bucket of (key position − query position) + BucketZero
	BucketZero     int
	Dropout        float64
	Key            uint64 // of the dropout
}

// Attend is softmax(scale·q·kᵀ + mask)·v, sequence by sequence and head by head. Queries are laid out as q's layout says, keys and values as k's.
func Attend(q, k, v *Tensor, a Attention) *Tensor {
	spec := a.spec(q, k, v)
	out := output([]int{q.Rows(), a.Heads * (v.Cols() / spec.KVHeads)}, q, k, v)
	out.layout = q.layout
	lse := output([]int{q.Rows(), a.Heads}, out)
	out.Device().Attention(out.mat(), lse.mat(), q.mat(), k.mat(), v.mat(), spec)
	value := out.Detach()
	return record("Attend", out, []*Tensor{q, k, v, a.Bias}, []*Tensor{q, k, v, out, lse, a.Bias}, func(f *flow) {
		var d [3]*backend.Mat
		var beta [3]float64
		for i, x := range []*Tensor{q, k, v} {
			if x.Wants() {
				dst, b := f.into(x)
				d[i], beta[i] = &dst, b
			}
		}
		if d[1] != nil || d[2] != nil { // a backend makes both or none
			defer f.spare(&d[1], k)()
			defer f.spare(&d[2], v)()
		}
		var dbias *backend.Mat
		if a.Bias != nil {
			f.part(a.Bias, func(dst backend.Mat) { dbias = &dst })
		}
		f.dev().AttentionGrad(d[0], d[1], d[2], dbias, f.dy.mat(), q.mat(), k.mat(), v.mat(), value.mat(), lse.mat(), spec, beta)
	})
}

// spare puts a place for a gradient that nobody wants where there is none, and returns what frees it.
func (f *flow) spare(m **backend.Mat, like *Tensor) (free func()) {
	if *m != nil {
		return func() {}
	}
	t := hold(f.dev(), like.shape)
	*m = optional(t)
	return t.data.release
}

// spec checks the shapes and says it all in a backend's words.
func (a Attention) spec(q, k, v *Tensor) *backend.Attention {
	kv := a.KVHeads
	if kv == 0 {
		kv = a.Heads
	}
	if q.layout == nil || k.layout == nil || q.layout.Sequences() != k.layout.Sequences() {
		misfit("Attend", "layouts of as many sequences", q, k, v)
	}
	if a.Heads < 1 || kv < 1 || a.Heads%kv != 0 || q.Cols()%a.Heads != 0 || k.Cols() != q.Cols()/a.Heads*kv || v.Cols()%kv != 0 || k.Rows() != v.Rows() {
		misfit("Attend", "q [Nq×"+sprint(a.Heads)+"·d], k [Nk×"+sprint(kv)+"·d], v of as many rows", q, k, v)
	}
	a.checkBias(q.layout, k.layout)
	scale := a.Scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(q.Cols()/a.Heads))
	}
	return &backend.Attention{
		Heads: a.Heads, KVHeads: kv, Scale: scale,
		QStart: q.layout.Start, KStart: k.layout.Start, QPos: q.layout.Pos, KPos: k.layout.Pos,
		Causal: a.Mask.Causal, Window: a.Mask.Window, Always: a.Mask.Always,
		Softcap: a.Softcap, Bias: optional(a.Bias), Bucket: a.Bucket, BucketZero: a.BucketZero,
		Dropout: a.Dropout, Key: a.Key,
	}
}

// checkBias panics unless the bias has a row for each head, a column for each bucket, and a bucket for each distance.
func (a Attention) checkBias(q, k *Layout) {
	if a.Bias == nil {
		return
	}
	if a.Bias.Rows() != a.Heads {
		misfit("Attend", "a bias ["+sprint(a.Heads)+"×buckets]", a.Bias)
	}
	for _, b := range a.Bucket {
		if b < 0 || int(b) >= a.Bias.Cols() {
			panic(&ShapeError{Op: "Attend", Got: "bucket " + sprint(b), Want: "a bucket below " + sprint(a.Bias.Cols())})
		}
	}
	for i := range q.Sequences() {
		a.checkDistances(q.Pos[q.Start[i]:q.Start[i+1]], k.Pos[k.Start[i]:k.Start[i+1]])
	}
}

// checkDistances panics unless there is a bucket for each distance from a query to a key of one sequence.
func (a Attention) checkDistances(q, k []int32) {
	if len(q) == 0 || len(k) == 0 {
		return
	}
	low, high := int(slices.Min(k))-int(slices.Max(q)), int(slices.Max(k))-int(slices.Min(q))
	if low+a.BucketZero < 0 || high+a.BucketZero >= len(a.Bucket) {
		got := sprint(len(a.Bucket)) + " buckets from distance " + sprint(-a.BucketZero)
		panic(&ShapeError{Op: "Attend", Got: got, Want: "one for each distance from " + sprint(low) + " to " + sprint(high)})
	}
}
