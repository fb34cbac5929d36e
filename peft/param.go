package peft

import "peft/tensor"

// A Param is what is trained: usually one tensor; a pool of them in a mixture. Shared parameters are one Param, listed once.
type Param struct {
	Name   string // "site/field" of what is added, the parameter's own name for what stands in
	Pool   []*tensor.Tensor
	Fixed  bool    // saved, not trained
	Buffer bool    // fixed, and not counted: see NewBuffer of [Patch]
	Places []int32 // where its numbers belong in a larger parameter, counted row by row as the checkpoint has it; nil: it is whole
}

// Tensor is the parameter's only tensor, or the first of its pool.
func (x *Param) Tensor() *tensor.Tensor { return x.Pool[0] }

// Freeze makes a parameter one that is saved and not trained: no gradient flows to it any more.
func (x *Param) Freeze() {
	x.Fixed = true
	for i, t := range x.Pool {
		x.Pool[i] = t.Detach()
	}
}

// In is the parameter as an operand of a pass: this pass's draw from the pool in training, the pool's mean otherwise.
func (x *Param) In(p *Pass) *tensor.Tensor {
	switch {
	case len(x.Pool) == 1:
		return p.scope.Use(x.Pool[0])
	case p.Train || p.Draws:
		return p.scope.Use(x.Pool[x.Draw(p)])
	}
	return p.Once(x, func() *tensor.Tensor { return x.mean(p) })
}

func (x *Param) mean(p *Pass) *tensor.Tensor {
	sum := p.scope.Use(x.Pool[0])
	for _, t := range x.Pool[1:] {
		sum = tensor.Add(sum, p.scope.Use(t))
	}
	return tensor.Scale(sum, 1/float64(len(x.Pool)))
}

// Len is the number of numbers of one tensor.
func (x *Param) Len() int { return x.Pool[0].Len() }

// Count is the number of numbers of the whole pool.
func (x *Param) Count() int { return len(x.Pool) * x.Len() }
