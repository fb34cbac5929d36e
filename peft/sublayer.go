package peft

import "peft/tensor"

// A Sublayer is the site of a residual branch: norm(stream + branch + Δ) + Δafter, where the norm is there in post-norm models only.
type Sublayer struct {
	site
	Norm *Norm `name:"-"` // the norm after the sum; nil in pre-norm models
	Role Role
	Size int
}

// Frozen is empty: the norm is a site of its own.
func (s *Sublayer) Frozen() []*Frozen { return nil }

// Apply adds the branch to the stream. input is what the branch was computed from.
func (s *Sublayer) Apply(p *Pass, stream, input, branch *tensor.Tensor) *tensor.Tensor {
	s.check()
	sum := p.split(s, stream.Layout(), func(p *Pass, pick share) *tensor.Tensor {
		return s.sum(p, pick.rows(stream), pick.rows(input), pick.rows(branch))
	})
	if s.Norm != nil {
		sum = s.Norm.Apply(p, sum)
	}
	if len(p.deltas(s, After)) == 0 {
		return sum
	}
	return p.split(s, stream.Layout(), func(p *Pass, pick share) *tensor.Tensor {
		return s.after(p, pick.rows(stream), pick.rows(input), pick.rows(branch), pick.rows(sum))
	})
}

// sum is stream + branch + Δ. A delta may read the normed sum, which is made only then.
func (s *Sublayer) sum(p *Pass, stream, input, branch *tensor.Tensor) *tensor.Tensor {
	for _, d := range p.deltas(s, Out) {
		tap := Tap{Site: s, X: input, Y: branch, Stream: stream, Branch: branch, Sum: func() *tensor.Tensor { return s.normed(p, stream, branch) }}
		branch = tensor.Add(branch, d.Forward(p, tap))
	}
	return tensor.Add(stream, branch)
}

func (s *Sublayer) normed(p *Pass, stream, branch *tensor.Tensor) *tensor.Tensor {
	sum := tensor.Add(stream, branch)
	if s.Norm != nil {
		sum = s.Norm.apply(p, sum)
	}
	return sum
}

// after is y + Δ. A delta still sees what y was made of.
func (s *Sublayer) after(p *Pass, stream, input, branch, y *tensor.Tensor) *tensor.Tensor {
	for _, d := range p.deltas(s, After) {
		y = tensor.Add(y, d.Forward(p, Tap{Site: s, X: input, Y: y, Stream: stream, Branch: branch, Sum: func() *tensor.Tensor { return y }}))
	}
	return y
}
