package peft

import (
	"slices"

	"peft/tensor"
)

// An Attention is the site softmax(q·[Pk; k]ᵀ)·[Pv; v] + Δ, where rows Pk and Pv may be put before a sequence's own keys and values.
type Attention struct {
	site
	Heads, KVHeads, HeadSize int
	Dropout                  float64 // of the weights, in training
	Cross                    bool    // keys and values come from another sequence
	Causal                   bool
}

// Frozen is empty: an attention has no parameters of its own.
func (a *Attention) Frozen() []*Frozen { return nil }

// Apply attends: q, k and v are what the block computed from x. What the spec leaves open (heads, dropout) is the site's.
func (a *Attention) Apply(p *Pass, x, q, k, v *tensor.Tensor, spec tensor.Attention) *tensor.Tensor {
	a.check()
	return p.split(a, x.Layout(), func(p *Pass, pick share) *tensor.Tensor {
		return a.apply(p, pick.rows(x), pick.rows(q), pick.rows(k), pick.rows(v), spec)
	})
}

func (a *Attention) apply(p *Pass, x, q, k, v *tensor.Tensor, spec tensor.Attention) *tensor.Tensor {
	spec.Heads, spec.KVHeads = a.Heads, a.KVHeads
	var all []Prepended
	for _, r := range p.rows(a) {
		all = append(all, r.Forward(p, Tap{Site: a, X: x, Y: q}))
	}
	if len(all) > 1 && !slices.ContainsFunc(all, func(r Prepended) bool { return r.Placed }) {
		all = []Prepended{stacked(all, x.Layout().Sequences())}
	}
	for _, r := range all {
		k, v, spec = r.before(k, v, spec)
	}
	if p.Train && a.Dropout > 0 {
		spec.Dropout, spec.Key = a.Dropout, p.Key(a.Name())
	}
	y := tensor.Attend(q, k, v, spec)
	for _, d := range p.deltas(a, Out) {
		y = tensor.Add(y, d.Forward(p, Tap{Site: a, X: x, Y: y, Q: q}))
	}
	return y
}
