package peft

import "peft/tensor"

// A Norm is a normalisation of rows: layer norm, or RMS norm where RMS is set.
type Norm struct {
	site
	Size   int
	Eps    float64
	RMS    bool
	Offset float64 // of the gain: 1 where the model means 1 + W
	W, B   *Frozen // gain and bias; B is absent for RMS norms
}

// NewNorm is a layer norm, or an RMS norm, of rows of the given size, without weights yet.
func NewNorm(size int, eps float64, rms bool) Norm {
	return Norm{Size: size, Eps: eps, RMS: rms, W: &Frozen{Shape: []int{size}}, B: &Frozen{Shape: []int{size}, Absent: rms}}
}

// Frozen lists gain and bias.
func (n *Norm) Frozen() []*Frozen {
	if name := n.Name(); name != "" && n.W.Name == "" {
		n.W.Name, n.B.Name = name+".weight", name+".bias"
	}
	return []*Frozen{n.W, n.B}
}

// Apply normalises each row of x.
func (n *Norm) Apply(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	n.check()
	return p.split(n, x.Layout(), func(p *Pass, pick share) *tensor.Tensor { return n.apply(p, pick.rows(x)) })
}

func (n *Norm) apply(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	if !n.RMS {
		return tensor.LayerNorm(x, p.Vector(n.W), p.Vector(n.B), n.Eps)
	}
	gain := p.Vector(n.W)
	if n.Offset != 0 {
		gain = tensor.Shift(p.scope.Use(gain), n.Offset)
	}
	y := tensor.RMSNorm(x, gain, n.Eps)
	if b := p.Vector(n.B); b != nil {
		y = tensor.Add(y, b)
	}
	return y
}
