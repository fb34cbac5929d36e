package prefix

import (
	"math"
	"strconv"

	"peft/peft"
	"peft/tensor"
)

// directions are the ends of the names of an LSTM's parameters, forwards and backwards.
var directions = []string{"", "_reverse"}

// addLSTM adds the parameters of a bidirectional LSTM [in → 2·hidden], named and drawn as PyTorch does: uniformly within ±1/√hidden.
func (n network) addLSTM(rng peft.Rand, in, hidden, layers int) {
	bound := 1 / math.Sqrt(float64(hidden))
	for l := range layers {
		for _, way := range directions {
			for _, m := range []struct {
				name string
				cols int
			}{{"ih", in}, {"hh", hidden}} {
				n.add(lstmName("weight_"+m.name, l, way), peft.Uniform(rng, 4*hidden*m.cols, bound), 4*hidden, m.cols)
				n.add(lstmName("bias_"+m.name, l, way), peft.Uniform(rng, 4*hidden, bound), 4*hidden)
			}
		}
		in = 2 * hidden
	}
}

func lstmName(what string, layer int, way string) string {
	return "lstm_head." + what + "_l" + strconv.Itoa(layer) + way
}

// lstm sends rows x [V×in], as one sequence, through all layers that there are: [V×2·hidden].
func (n network) lstm(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	for l := 0; n.param(lstmName("weight_ih", l, "")) != nil; l++ {
		if l > 0 {
			x = p.Dropout(x, n.dropout, n.kind+"/"+lstmName("dropout", l, ""))
		}
		there, back := n.cell(p, l, ""), n.cell(p, l, "_reverse")
		x = beside(there.run(x, false), back.run(x, true))
	}
	return x
}

// beside puts the rows of a and b next to each other.
func beside(a, b []*tensor.Tensor) *tensor.Tensor {
	var halves []*tensor.Tensor
	for i := range a {
		halves = append(halves, a[i], b[i])
	}
	return tensor.Reshape(tensor.Stack(nil, halves...), len(a), 2*a[0].Cols())
}

// A cell is an LSTM's parameters in one direction: gates i, f, g and o, one below the other.
type cell struct{ wi, wh, bi, bh *tensor.Tensor }

func (n network) cell(p *peft.Pass, layer int, way string) cell {
	get := func(what string) *tensor.Tensor { return n.param(lstmName(what, layer, way)).In(p) }
	return cell{wi: get("weight_ih"), wh: get("weight_hh"), bi: get("bias_ih"), bh: get("bias_hh")}
}

// run is the cell's output at each row of x, from the last to the first where it goes backwards.
func (c cell) run(x *tensor.Tensor, backwards bool) []*tensor.Tensor {
	in := tensor.Add(tensor.Dense{W: c.wi}.Linear(x, tensor.Affine{Bias: c.bi}), c.bh)
	out := make([]*tensor.Tensor, x.Rows())
	var h, state *tensor.Tensor
	for step := range out {
		at := step
		if backwards {
			at = len(out) - 1 - step
		}
		h, state = c.step(tensor.Rows(in, at, at+1), h, state)
		out[at] = h
	}
	return out
}

// step is c' = σ(f)∘c + σ(i)∘tanh(g), h' = σ(o)∘tanh(c') for [i f g o] = in + h·Whᵀ; h and c are nil at the start.
func (c cell) step(in, h, state *tensor.Tensor) (h2, state2 *tensor.Tensor) {
	if h != nil {
		in = tensor.Add(in, tensor.MatMulT(h, c.wh))
	}
	size := in.Cols() / 4
	gate := func(i int, f tensor.Func) *tensor.Tensor {
		return tensor.Apply(f, tensor.Columns(in, i*size, (i+1)*size))
	}
	state2 = tensor.Mul(gate(0, tensor.Sigmoid), gate(2, tensor.Tanh))
	if state != nil {
		state2 = tensor.Add(state2, tensor.Mul(gate(1, tensor.Sigmoid), state))
	}
	return tensor.Mul(gate(3, tensor.Sigmoid), tensor.Apply(tensor.Tanh, state2)), state2
}
