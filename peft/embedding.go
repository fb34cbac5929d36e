package peft

import "peft/tensor"

// An Embedding is the site that looks rows of a table up.
type Embedding struct {
	site
	Num, Size int
	W         *Frozen
	Scale     float64 // factor on what is looked up; 0 means 1
	Role      Role
}

// NewEmbedding is a table of num rows of the given size, without weights yet.
func NewEmbedding(num, size int) Embedding {
	return Embedding{Num: num, Size: size, W: &Frozen{Shape: []int{num, size}}}
}

// Frozen lists the table.
func (e *Embedding) Frozen() []*Frozen {
	if name := e.Name(); name != "" && e.W.Name == "" {
		e.W.Name = name + ".weight"
	}
	return []*Frozen{e.W}
}

// Apply looks the rows of ids up, which are laid out as l says.
func (e *Embedding) Apply(p *Pass, ids []int32, l *tensor.Layout) *tensor.Tensor {
	e.check()
	return p.split(e, l, func(p *Pass, pick share) *tensor.Tensor {
		ids, l := pick.ids(ids, l)
		return e.apply(p, ids, l)
	})
}

func (e *Embedding) apply(p *Pass, ids []int32, l *tensor.Layout) *tensor.Tensor {
	y := p.matrix(e, e.W).Gather(p.scope, ids).WithLayout(l)
	for _, d := range p.deltas(e, Out) {
		y = tensor.Add(y, d.Forward(p, Tap{Site: e, IDs: ids, Y: y}))
	}
	if e.Scale != 0 {
		y = tensor.Scale(y, e.Scale)
	}
	return y
}
