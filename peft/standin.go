package peft

import "peft/tensor"

// A StandIn takes a Frozen's place wherever that is used. base is what stood there before: the frozen weight, or an earlier patch's stand-in.
type StandIn interface {
	Value(p *Pass, f *Frozen, base tensor.Map) tensor.Map
}

// Whole is the stand-in that is trained as a whole tensor: full fine-tuning, heads, biases, norms.
type Whole struct{ Param *Param }

// Value is the tensor in place of base.
func (w Whole) Value(p *Pass, f *Frozen, _ tensor.Map) tensor.Map {
	t := w.Param.In(p)
	return tensor.Dense{W: tensor.Reshape(t, f.rows(), f.cols())}
}
