package peft

import "peft/tensor"

// A SequenceGate is n numbers from 0 to 1 for each sequence: the mean over its rows of sigmoid(x·Wᵀ + b), W [n×d] (UniPELT: Mao et al. 2022, arXiv:2110.07577). Virtual rows do not count.
type SequenceGate struct{ W, B *Param }

// NewSequenceGate makes the parameters NAME.weight and NAME.bias of n gates on rows of size d: nearly one half everywhere at first.
func NewSequenceGate(q *Patch, name string, d, n int, rng Rand) *SequenceGate {
	return &SequenceGate{q.NewParam(name+".weight", Normal(rng, n*d, 0.02), n, d), q.NewParam(name+".bias", nil, n)}
}

// Value is the gates for x [rows×d]: [sequences×n].
func (g *SequenceGate) Value(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	return tensor.MeanRows(tensor.Dense{W: g.W.In(p)}.Linear(x, tensor.Affine{Bias: g.B.In(p), Func: tensor.Sigmoid}))
}

// Spread repeats each sequence's row of x [sequences×d] for all of its rows in a layout: [rows×d].
func Spread(x *tensor.Tensor, l *tensor.Layout) *tensor.Tensor {
	idx := make([]int32, 0, l.Rows())
	for s := range l.Sequences() {
		for range l.Start[s+1] - l.Start[s] {
			idx = append(idx, int32(s))
		}
	}
	return tensor.GatherRows(x, idx, l)
}

// PerSequence is rows x [n×size] times the gate of each sequence [sequences×1]: [sequences×n×size]. Rows that differ already [sequences×n×size] are scaled by their own sequence's gate.
func PerSequence(x, gate *tensor.Tensor) *tensor.Tensor {
	sequences := gate.Rows()
	n, each := x.Rows(), len(x.Shape()) == 3
	if each {
		n /= sequences
	}
	row, sequence := make([]int32, n*sequences), make([]int32, n*sequences)
	for i := range row {
		row[i], sequence[i] = int32(i%n), int32(i/n)
		if each {
			row[i] = int32(i)
		}
	}
	y := tensor.Mul(tensor.GatherRows(tensor.Reshape(x, x.Rows(), x.Cols()), row, nil), tensor.GatherRows(gate, sequence, nil))
	return tensor.Reshape(y, sequences, n, x.Cols())
}
