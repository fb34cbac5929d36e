package adapter

import (
	"peft/peft"
	"peft/tensor"
)

// A bottleneck is Δ = A(h) + residual − what the site adds to: the branch, or the block's output.
type bottleneck struct {
	Config
	down, up      linear
	f             tensor.Func
	before, after *norm              // nil: none
	scale         *peft.Param        // [1] or [d]; nil: fixed
	gate          *peft.SequenceGate // nil: none
	key           string             // of the random streams
}

// A linear is one of the maps of a bottleneck: y = f(x·W + b).
type linear interface {
	apply(p *peft.Pass, x *tensor.Tensor, f tensor.Func) *tensor.Tensor
	frozen() linear // the same map of parameters that are not trained
}

// bottleneck makes the parameters at a site.
func (b builder) bottleneck(site string, d, r int) (n *bottleneck, err error) {
	n = &bottleneck{Config: b.Config, key: site + "/" + b.name()}
	n.f, _ = b.function()
	if n.down, n.up, err = b.maps(site, d, r); err != nil {
		return nil, err
	}
	switch b.Scaling {
	case Learned:
		n.scale = b.q.NewParam(site+"/scaling", ones(1), 1)
	case Channel:
		n.scale = b.q.NewParam(site+"/scaling", ones(d), d)
	}
	if b.NormBefore {
		n.before = b.norm(site+"/adapter_norm_before", d)
	}
	if b.NormAfter {
		n.after = b.norm(site+"/adapter_norm_after", d)
	}
	if b.Gate {
		n.gate = peft.NewSequenceGate(b.q, site+"/gate", d, 1, b.rng)
	}
	return n, nil
}

// place is where the sublayer adds Δ.
func (n *bottleneck) place() peft.Place {
	if n.NoSum {
		return peft.After
	}
	return peft.Out
}

// RowWise is true without a gate, which is a mean over rows.
func (n *bottleneck) RowWise() bool { return n.gate == nil }

// Kind says why it has no Fold.
func (*bottleneck) Kind() string {
	return "a bottleneck adapter, which has a function between its maps,"
}

// Forward is Δ [rows×d].
func (n *bottleneck) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	h := n.input(t)
	a, residual := n.value(p, h), n.residual(t, h)
	if n.NormResidual && n.after != nil && n.Input != Stream {
		return tensor.Sub(n.after.apply(p, tensor.Add(a, residual)), t.Y)
	}
	a = n.after.apply(p, a)
	if residual == t.Y {
		return a
	}
	return tensor.Add(a, tensor.Sub(residual, t.Y))
}

// Enter is h, and what A(h) is added to.
func (n *bottleneck) Enter(_ *peft.Pass, t peft.Tap) (h, residual *tensor.Tensor) {
	h = n.input(t)
	if n.Input == Stream {
		return h, h
	}
	return h, n.residual(t, h)
}

// Inside is A(h), to which the residual of a sequential bottleneck is added.
func (n *bottleneck) Inside(p *peft.Pass, h, residual *tensor.Tensor) *tensor.Tensor {
	a := n.value(p, h)
	switch {
	case n.Input == Stream:
		return n.after.apply(p, a)
	case n.NormResidual:
		return n.after.apply(p, tensor.Add(a, residual))
	}
	return tensor.Add(n.after.apply(p, a), residual)
}

// Leave is Δ: beside a parallel bottleneck the branch stays.
func (n *bottleneck) Leave(_ *peft.Pass, y *tensor.Tensor, t peft.Tap) *tensor.Tensor {
	if n.Input != Stream {
		return tensor.Sub(y, t.Y)
	}
	if t.Branch == t.Y {
		return y
	}
	return tensor.Add(y, tensor.Sub(t.Branch, t.Y))
}

// Joins is where the sublayer adds Δ.
func (n *bottleneck) Joins() peft.Place { return n.place() }

// input is h.
func (n *bottleneck) input(t peft.Tap) *tensor.Tensor {
	switch n.Input {
	case Branch:
		return t.Branch
	case Stream:
		return t.Stream
	}
	return t.Sum()
}

func (n *bottleneck) residual(t peft.Tap, h *tensor.Tensor) *tensor.Tensor {
	switch {
	case n.Input == Stream || n.Residual == ToBranch:
		return t.Branch
	case n.Residual == ToInput:
		return h
	}
	return tensor.Add(t.Stream, t.Branch)
}

// value is A(h), dropped out and gated.
func (n *bottleneck) value(p *peft.Pass, h *tensor.Tensor) *tensor.Tensor {
	a := p.Dropout(n.scaled(p, h), n.Dropout, n.key)
	if n.gate != nil {
		a = tensor.Mul(a, peft.Spread(n.gate.Value(p, h), h.Layout()))
	}
	return a
}

// scaled is A(h).
func (n *bottleneck) scaled(p *peft.Pass, h *tensor.Tensor) *tensor.Tensor {
	a := n.drop(p, n.up.apply(p, n.down.apply(p, n.before.apply(p, h), n.f), tensor.Identity))
	switch {
	case n.scale != nil:
		return tensor.Mul(a, n.scale.In(p))
	case n.Scale != 0 && n.Scale != 1:
		return tensor.Scale(a, n.Scale)
	}
	return a
}

// drop drops the rows of some sequences, in training.
func (n *bottleneck) drop(p *peft.Pass, a *tensor.Tensor) *tensor.Tensor {
	if !p.Train || n.Depth == 0 {
		return a
	}
	s := a.Layout().Sequences()
	kept := p.Dropout(p.Scope().Tensor(ones(s), s, 1), n.Depth, n.key+"/depth")
	return tensor.Mul(a, peft.Spread(kept, a.Layout()))
}

// A norm is a layer norm of a bottleneck's own.
type norm struct{ gain, bias *peft.Param }

const epsilon = 1e-5

func (b builder) norm(name string, d int) *norm {
	return &norm{b.q.NewParam(name+".weight", ones(d), d), b.q.NewParam(name+".bias", nil, d)}
}

// apply norms the rows of x; no norm leaves them as they are.
func (n *norm) apply(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	if n == nil {
		return x
	}
	return tensor.LayerNorm(x, n.gain.In(p), n.bias.In(p), epsilon)
}

func ones(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}
