package peft

import "peft/tensor"

// A counter is Rows that know how many they are.
type counter interface {
	Rows
	Count(p *Pass) int
}

// filled are rows with as many before them as the longest of several has more: zeros, whose scores count one.
type filled struct {
	counter
	longest []counter
}

// Forward is the rows.
func (r filled) Forward(p *Pass, t Tap) Prepended {
	pre, most := r.counter.Forward(p, t), 0
	for _, other := range r.longest {
		most = max(most, other.Count(p))
	}
	n := most - r.Count(p)
	if n == 0 || pre.Placed {
		return pre
	}
	pre.Filled, pre.K, pre.V = n, before(p, n, pre.K), before(p, n, pre.V)
	return pre
}

// before is x [n×size], or [sequences×n×size], with rows of zeros before it.
func before(p *Pass, n int, x *tensor.Tensor) *tensor.Tensor {
	size := x.Cols()
	if len(x.Shape()) < 3 {
		return tensor.Stack(nil, p.scope.Tensor(nil, n, size), x)
	}
	sequences := x.Shape()[0]
	rows := x.Rows() / sequences
	wide := tensor.Reshape(x, sequences, rows*size)
	zeros := p.scope.Tensor(nil, sequences, n*size)
	return tensor.Reshape(tensor.Transpose(tensor.Stack(nil, tensor.Transpose(zeros), tensor.Transpose(wide))), sequences, n+rows, size)
}

// zeros are as many rows of zeros as the longest of several has, where a patch has none.
type zeros struct {
	longest []counter
	size    int
}

// Forward is the rows.
func (r zeros) Forward(p *Pass, _ Tap) Prepended {
	most := 0
	for _, other := range r.longest {
		most = max(most, other.Count(p))
	}
	none := p.scope.Tensor(nil, most, r.size)
	return Prepended{Filled: most, K: none, V: none}
}

// fill lets the rows that the parts put before keys and values be as many in each.
func (c *composer) fill() {
	for a := range c.sites.Attentions() {
		var all []counter
		for _, part := range c.parts {
			for _, r := range part.rows[a.base()] {
				if n, ok := r.(counter); ok {
					all = append(all, n)
				}
			}
		}
		for _, part := range c.parts {
			rows := part.rows[a.base()]
			if len(rows) == 0 && len(all) > 0 {
				part.Prepend(a, zeros{all, a.KVHeads * a.HeadSize})
			}
			for i, r := range rows {
				_, done := r.(filled)
				if n, ok := r.(counter); ok && !done && len(rows) == 1 {
					rows[i] = filled{n, all}
				}
			}
		}
	}
}
