package lora

import (
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// sharedVeRA is where the factors are that all maps have in common.
const sharedVeRA = "shared_parameters"

// vera makes D and E of one map; at the first map A and B too, which must fit all others.
func (c Hub) vera(q *peft.Patch, d *hub, rng peft.Rand) error {
	l := d.site
	a, b := q.Param(sharedVeRA+"/lora_A"), q.Param(sharedVeRA+"/lora_B")
	if a == nil {
		a = q.NewFixed(sharedVeRA+"/lora_A", c.start(rng, c.Rank*l.In, l.In, false), c.Rank, l.In)
		b = q.NewFixed(sharedVeRA+"/lora_B", c.start(rng, l.Out*c.Rank, l.In, true), l.Out, c.Rank)
	}
	if a.Tensor().Cols() != l.In || b.Tensor().Rows() != l.Out {
		return fmt.Errorf("VeRA has factors for maps of %d to %d numbers, this one is of %d to %d", a.Tensor().Cols(), b.Tensor().Rows(), l.In, l.Out)
	}
	down := q.NewParam(l.Name()+"/vera_D", diagonal(c.Rank, c.VeRA.D), c.Rank, c.Rank)
	up := q.NewParam(l.Name()+"/vera_B", diagonal(l.Out, c.VeRA.B), l.Out, l.Out)
	d.factors = func(p *peft.Pass) (_, _ *tensor.Tensor) {
		return tensor.MatMul(down.In(p), a.In(p)), tensor.MatMul(up.In(p), b.In(p))
	}
	return nil
}

// diagonal is a matrix [n×n] with v on its diagonal and zeros elsewhere.
func diagonal(n int, v float64) []float64 {
	m := make([]float64, n*n)
	for i := range n {
		m[i*n+i] = v
	}
	return m
}
