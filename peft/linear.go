package peft

import "peft/tensor"

// A Linear is the site y = (x + Δin)·Wᵀ + b + Δout.
type Linear struct {
	site
	In, Out int
	W, B    *Frozen // B is absent where the model has no bias
	Role    Role
	Parts   []Part // what the rows of W are, where the checkpoint fuses several maps into one
	IsHead  bool   // the output of a language model, or the last map of a classifier: "all-linear" leaves it out
}

// A Part is some output columns of a fused linear map.
type Part struct {
	Role   Role
	Lo, Hi int
}

// NewLinear is a linear site of the given sizes, without weights yet.
func NewLinear(in, out int, bias bool, role Role) Linear {
	return Linear{In: in, Out: out, W: &Frozen{Shape: []int{out, in}}, B: &Frozen{Shape: []int{out}, Absent: !bias}, Role: role}
}

// LinearOf is a linear site with the given weights: w row after row, [out×in], and b, which may be nil.
func LinearOf(w []float32, b []float32, in int) Linear {
	out := len(w) / in
	bias := &Frozen{Shape: []int{out}, Absent: b == nil}
	if b != nil {
		bias.W = tensor.WeightOf(b, 1, out)
	}
	return Linear{In: in, Out: out, W: &Frozen{Shape: []int{out, in}, W: tensor.WeightOf(w, out, in)}, B: bias}
}

// Frozen lists W and B.
func (l *Linear) Frozen() []*Frozen {
	if n := l.Name(); n != "" && l.W.Name == "" {
		l.W.Name = n + ".weight"
	}
	if n := l.Name(); n != "" && l.B.Name == "" {
		l.B.Name = n + ".bias"
	}
	return []*Frozen{l.W, l.B}
}

// Ready makes ready what Apply needs of the matrix, unless another stands in for it: see [tensor.Weight.Ready].
func (l *Linear) Ready(p *Pass) {
	if w := p.own(l, l.W); !p.substituted(w) {
		w.weight().Ready(p.dev)
	}
}

// Apply is the site's output for x [N×In]: [N×Out].
func (l *Linear) Apply(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	return l.Activated(p, x, tensor.Identity)
}

// Activated is f of the site's output, in one kernel where what is added allows it.
func (l *Linear) Activated(p *Pass, x *tensor.Tensor, f tensor.Func) *tensor.Tensor {
	l.check()
	return p.split(l, x.Layout(), func(p *Pass, pick share) *tensor.Tensor { return l.apply(p, pick.rows(x), f) })
}

func (l *Linear) apply(p *Pass, x *tensor.Tensor, f tensor.Func) *tensor.Tensor {
	for _, d := range p.deltas(l, In) {
		x = tensor.Add(x, d.Forward(p, Tap{Site: l, X: x, Y: x}))
	}
	w, a := p.matrix(l, l.W), tensor.Affine{Bias: p.vector(l, l.B), Func: f}
	added := p.deltas(l, Out)
	if len(added) == 1 {
		if d, ok := added[0].(LowRanker); ok {
			if low := d.LowRank(p, Tap{Site: l, X: x}); low != nil {
				a.Low = low
				return w.Linear(x, a)
			}
		}
	}
	if len(added) == 0 {
		return w.Linear(x, a)
	}
	a.Func = tensor.Identity
	y := w.Linear(x, a)
	for _, d := range added {
		y = tensor.Add(y, d.Forward(p, Tap{Site: l, X: x, Y: y}))
	}
	return tensor.Apply(f, y)
}
