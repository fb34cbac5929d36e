package prefix

import (
	"math"
	"strconv"

	"peft/peft"
	"peft/tensor"
)

// A network makes rows of a table: through an LSTM, if it has one, and linear maps with a function between them. It is made of the parameters of a patch, by their names.
type network struct {
	q       *peft.Patch
	kind    string // its parameters are named kind/…
	table   string // …table
	maps    string // …maps.0.weight, …maps.0.bias, …maps.2.weight, …
	f       tensor.Func
	dropout float64 // between the layers of the LSTM
}

// rows is computed once a pass.
func (n network) rows(p *peft.Pass) *tensor.Tensor {
	return p.Once(n, func() *tensor.Tensor { return n.forward(p) })
}

func (n network) forward(p *peft.Pass) *tensor.Tensor {
	x := n.lstm(p, n.param(n.table).In(p))
	for i := 0; n.param(n.of(i, "weight")) != nil; i += 2 {
		a := tensor.Affine{Bias: n.param(n.of(i, "bias")).In(p)}
		if n.param(n.of(i+2, "weight")) != nil {
			a.Func = n.f
		}
		x = tensor.Dense{W: n.param(n.of(i, "weight")).In(p)}.Linear(x, a)
	}
	return x
}

// collapsed is the rows that are made, by the name of the parameter that takes the network's place.
func (n network) collapsed(p *peft.Pass) map[string]*tensor.Tensor {
	return map[string]*tensor.Tensor{n.kind + "/" + embeddingsKey: n.rows(p)}
}

// of is the name of a parameter of the map at a place.
func (n network) of(i int, field string) string { return n.maps + "." + strconv.Itoa(i) + "." + field }

func (n network) param(name string) *peft.Param { return n.q.Param(n.kind + "/" + name) }

func (n network) add(name string, values []float64, shape ...int) *peft.Param {
	return n.q.NewParam(n.kind+"/"+name, values, shape...)
}

// addTable adds the table's parameter, drawn from N(0, 1).
func (n network) addTable(rng peft.Rand, rows, cols int) {
	n.add(n.table, peft.Normal(rng, rows*cols, 1), rows, cols)
}

// addMaps adds the parameters of maps from one size to the next, drawn as PyTorch draws them: uniformly within ±1/√in.
func (n network) addMaps(rng peft.Rand, sizes ...int) {
	for i, out := range sizes[1:] {
		in := sizes[i]
		bound := 1 / math.Sqrt(float64(in))
		n.addMap(2*i, peft.Uniform(rng, out*in, bound), peft.Uniform(rng, out, bound), in, out)
	}
}

// addMap adds the parameters of one map; nil values are zeros.
func (n network) addMap(i int, weight, bias []float64, in, out int) {
	n.add(n.of(i, "weight"), weight, out, in)
	n.add(n.of(i, "bias"), bias, out)
}
