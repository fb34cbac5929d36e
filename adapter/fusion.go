package adapter

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// A Fusion learns where to use which of several trained adapters, which stay as they are (AdapterFusion: Pfeiffer et al. 2021, arXiv:2005.00247). With h what the last of them reads and
// u₁, u₂, … what they make of it, the block gets in place of one adapter's value
//
//	Σᵢ pᵢ·(uᵢ·Valueᵀ),  p = softmax(q·(uᵢ·Keyᵀ + k)),  q = h·Queryᵀ + b
//
// to which the residual of the last is added. Query and Key start normal, Value near the identity.
type Fusion struct {
	Of      []*peft.Patch // two or more patches of this package's adapters of one model; a pass goes through the fusion alone, not through them
	NoQuery bool          // q is h itself
	NoKey   bool          // scores are of the uᵢ themselves
	NoValue bool          // values are the adapters' own
	Dropout float64       // on the scores, in training
	Decay   float64       // weight of Σ‖I − Value‖² in the loss; the paper's is 0.01
	Head    bool          // train the model's head whole

	QueryBranch   bool // q is made of what the sublayer computes, before a sum and a norm
	ResidualFirst bool // the residual is added to each uᵢ in place of the sum
	RandomValue   bool // Value starts normal
	file          fusionFile
}

// Attach puts a fusion at each sublayer where the adapters are, also in blocks that all of them leave out: there it does nothing, but the library's files hold it.
func (c Fusion) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	adapters, err := c.adapters()
	if err != nil {
		return nil, fmt.Errorf("adapter: fusion: %w", err)
	}
	q, found := peft.NewPatch(s), false
	for x := range s.Sublayers() {
		if slices.ContainsFunc(adapters, func(a Config) bool { return !slices.Contains(a.roles(), x.Role) }) {
			continue
		}
		f := c.at(q, x, rng)
		if f.of = c.bottlenecks(x); f.of != nil {
			q.Add(x, f.of[len(f.of)-1].place(), f)
			found = true
		}
	}
	if !found {
		return nil, fmt.Errorf("adapter: fusion: the adapters have no sublayer of this model in common")
	}
	c.embedding(q)
	if c.Head {
		q.TrainHead()
	}
	return q, nil
}

// embedding puts the first adapter's invertible map on the embeddings, frozen.
func (c Fusion) embedding(q *peft.Patch) {
	x := embedded(q.Sites())
	if x == nil {
		return
	}
	for _, d := range c.Of[0].Deltas(x, peft.Out) {
		if inv, ok := d.(forward); ok {
			q.Add(x, peft.Out, forward{inv.frozen()})
		}
	}
}

// adapters are the configurations of the patches.
func (c Fusion) adapters() (all []Config, err error) {
	if len(c.Of) < 2 {
		return nil, fmt.Errorf("field Of holds %d patches, must hold 2 or more", len(c.Of))
	}
	if !(c.Dropout >= 0 && c.Dropout < 1) {
		return nil, fmt.Errorf("field Dropout is %v, must be at least 0 and below 1", c.Dropout)
	}
	for i, q := range c.Of {
		a, ok := q.Method().(Config)
		if !ok {
			return nil, fmt.Errorf("patch %d is of a %T, not of adapters", i, q.Method())
		}
		all = append(all, a)
	}
	return all, nil
}

// bottlenecks are those of the patches at a sublayer, frozen.
func (c Fusion) bottlenecks(x *peft.Sublayer) (all []*bottleneck) {
	for _, q := range c.Of {
		for _, d := range append(q.Deltas(x, peft.Out), q.Deltas(x, peft.After)...) {
			if n, ok := d.(*bottleneck); ok {
				all = append(all, n.frozen())
			}
		}
	}
	return all
}

// at makes the parameters at a sublayer.
func (c Fusion) at(q *peft.Patch, x *peft.Sublayer, rng peft.Rand) *fusion {
	d, name := x.Size, x.Name()+"/"+fused+"."
	normal := func() []float64 { return peft.Normal(rng, d*d, 0.02) }
	b := builder{q: q}
	f := &fusion{Fusion: c, stream: x.Name() + "/" + fused}
	if !c.NoQuery {
		query := b.dense(name+"query", normal(), d, d)
		f.query = &query
	}
	if !c.NoKey {
		key := b.dense(name+"key", normal(), d, d)
		f.key = &key
	}
	switch {
	case !c.NoValue && c.RandomValue:
		f.value = q.NewParam(name+"value.weight", normal(), d, d)
	case !c.NoValue:
		f.value = q.NewParam(name+"value.weight", nearIdentity(d), d, d)
	case c.NoQuery && c.NoKey:
		b.dense(name+"dense", peft.Uniform(rng, d, 1/math.Sqrt(float64(d))), d, 1) // the library makes it, and uses it for nothing
	}
	return f
}

// fused is where a sublayer has the parameters of a fusion.
const fused = "adapter_fusion_layer"

// nearIdentity is one on the diagonal and 0.000001 elsewhere.
func nearIdentity(d int) []float64 {
	v := make([]float64, d*d)
	for i := range v {
		v[i] = 0.000001
	}
	for i := range d {
		v[i*d+i] = 1
	}
	return v
}

// A fusion is Δ = Σᵢ pᵢ·(uᵢ·Valueᵀ) + residual − what the site adds to.
type fusion struct {
	Fusion
	of         []*bottleneck
	query, key *dense      // nil: the identity
	value      *peft.Param // nil: the identity
	stream     string      // of random numbers
}

// Kind says why it has no Fold.
func (*fusion) Kind() string { return "a fusion of adapters, which weighs them for each token," }

// Forward is Δ [rows×d].
func (f *fusion) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	return f.Leave(p, f.Run(p, t), t)
}

// last is the adapter that says what all read, and how what comes out joins the model.
func (f *fusion) last() *bottleneck { return f.of[len(f.of)-1] }

// Enter is what cells beside the fusion read, of which it is the first: as of its first adapter.
func (f *fusion) Enter(p *peft.Pass, t peft.Tap) (h, residual *tensor.Tensor) {
	return f.of[0].Enter(p, t)
}

// Inside is what becomes of what such a cell has entered with.
func (f *fusion) Inside(p *peft.Pass, h, _ *tensor.Tensor) *tensor.Tensor {
	return f.Run(p, peft.Tap{X: h, Y: h, Branch: h, Stream: h, Sum: func() *tensor.Tensor { return h }})
}

// Leave is Δ.
func (f *fusion) Leave(p *peft.Pass, y *tensor.Tensor, t peft.Tap) *tensor.Tensor {
	return f.last().Leave(p, y, t)
}

// Joins is where the sublayer adds Δ.
func (f *fusion) Joins() peft.Place { return f.last().place() }

// Run is what becomes of the branch.
func (f *fusion) Run(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	h := f.last().input(t)
	_, residual := f.last().Enter(p, t)
	var values []*tensor.Tensor
	for _, n := range f.of {
		u := n.scaled(p, h)
		if f.ResidualFirst {
			u = tensor.Add(u, residual)
		}
		values = append(values, u)
	}
	y := f.mix(f.weights(p, f.asks(t, h), values), values)
	if f.value != nil {
		y = tensor.MatMulT(y, f.value.In(p))
	}
	if f.ResidualFirst {
		return y
	}
	return tensor.Add(y, residual)
}

// asks is what q is made of, where the last adapter reads h.
func (f *fusion) asks(t peft.Tap, h *tensor.Tensor) *tensor.Tensor {
	if f.QueryBranch && f.of[len(f.of)-1].Input != Stream {
		return t.Branch
	}
	return h
}

// weights is p [rows×adapters]. A score is q·(u·Keyᵀ + k) = (q·Key)·u + q·k, so that Key is multiplied once for all adapters.
func (f *fusion) weights(p *peft.Pass, h *tensor.Tensor, values []*tensor.Tensor) *tensor.Tensor {
	q := h
	if f.query != nil {
		q = f.query.apply(p, h, tensor.Identity)
	}
	score := func(u *tensor.Tensor) *tensor.Tensor { return tensor.SumCols(tensor.Mul(q, u)) }
	if f.key != nil {
		own, common := tensor.MatMul(q, f.key.w.In(p)), tensor.SumCols(tensor.Mul(q, f.key.b.In(p)))
		score = func(u *tensor.Tensor) *tensor.Tensor { return tensor.Add(tensor.SumCols(tensor.Mul(own, u)), common) }
	}
	var columns []*tensor.Tensor
	for _, u := range values {
		columns = append(columns, score(u))
	}
	scores := tensor.Transpose(tensor.Reshape(tensor.Stack(nil, columns...), len(values), h.Rows()))
	return tensor.Softmax(p.Dropout(scores, f.Dropout, f.stream))
}

// mix is the sum of the values, each row of each by its weight.
func (f *fusion) mix(weights *tensor.Tensor, values []*tensor.Tensor) *tensor.Tensor {
	sum := tensor.Mul(values[0], tensor.Columns(weights, 0, 1))
	for i, u := range values[1:] {
		sum = tensor.Add(sum, tensor.Mul(u, tensor.Columns(weights, i+1, i+2)))
	}
	return sum
}

// Penalty is the term of the loss that keeps Value near the identity: Decay·Σ‖I − Value‖².
func (c Fusion) Penalty(p *peft.Pass, q *peft.Patch) *tensor.Tensor {
	sum := p.Scope().Tensor(nil)
	for x := range q.Params() {
		if c.Decay == 0 || !strings.HasSuffix(x.Name, fused+".value.weight") {
			continue
		}
		d := x.Tensor().Rows()
		identity := make([]float64, d*d)
		for i := range d {
			identity[i*d+i] = 1
		}
		away := tensor.Sub(x.In(p), p.Scope().Tensor(identity, d, d))
		sum = tensor.Add(sum, tensor.Scale(tensor.Sum(tensor.Apply(tensor.Square, away)), c.Decay))
	}
	return sum
}

// frozen is the bottleneck with parameters that are not trained.
func (n *bottleneck) frozen() *bottleneck {
	still := *n
	still.down, still.up, still.scale = n.down.frozen(), n.up.frozen(), frozen(n.scale)
	if n.before != nil {
		still.before = &norm{frozen(n.before.gain), frozen(n.before.bias)}
	}
	return &still
}

// frozen is a parameter as one that is not trained, which follows its values; nil stays nil.
func frozen(x *peft.Param) *peft.Param {
	if x == nil {
		return nil
	}
	still := &peft.Param{Name: x.Name, Fixed: true}
	for _, t := range x.Pool {
		still.Pool = append(still.Pool, t.Detach())
	}
	return still
}
