package adapter

import (
	"math"

	"peft/peft"
	"peft/tensor"
)

// dense is y = f(x·Wᵀ + b), W [out×in].
type dense struct{ w, b *peft.Param }

func (l dense) apply(p *peft.Pass, x *tensor.Tensor, f tensor.Func) *tensor.Tensor {
	return tensor.Dense{W: l.w.In(p)}.Linear(x, tensor.Affine{Bias: l.b.In(p), Func: f})
}

func (l dense) frozen() linear { return dense{frozen(l.w), frozen(l.b)} }

// dense makes a map with the given first weights; nil means zeros.
func (b builder) dense(name string, w []float64, in, out int) dense {
	return dense{b.q.NewParam(name+".weight", w, out, in), b.q.NewParam(name+".bias", nil, out)}
}

// maps are Down and Up of a bottleneck. In files Down is the first of a list of layers, or the second, after a norm.
func (b builder) maps(site string, d, r int) (down, up linear, err error) {
	first := site + "/adapter_down.0"
	if b.NormBefore {
		first = site + "/adapter_down.1"
	}
	if b.PHM != nil {
		return b.kronecker(first, site+"/adapter_up", d, r)
	}
	return b.dense(first, b.draw(r*d, d, false), d, r), b.dense(site+"/adapter_up", b.draw(d*r, r, true), r, d), nil
}

// draw is n first weights of a map of rows of the given size.
func (b builder) draw(n, in int, up bool) []float64 {
	switch {
	case b.Init == Zero && up:
		return nil
	case b.Init == Zero:
		return peft.Uniform(b.rng, n, 1/math.Sqrt(float64(in)))
	case b.Init == Truncated:
		return truncated(b.rng, n, 0.01)
	}
	return peft.Normal(b.rng, n, 0.02)
}

// truncated is n draws from a normal distribution, none of them further from 0 than two standard deviations.
func truncated(rng peft.Rand, n int, std float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		x := rng.NormFloat64()
		for math.Abs(x) > 2 {
			x = rng.NormFloat64()
		}
		v[i] = std * x
	}
	return v
}
