package lora

import (
	"cmp"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// A dropping is what training leaves out of an update beside numbers of its input, as Hugging Face PEFT has it for LoHa and LoKr.
type dropping struct {
	module float64 // the probability that all of it is left out
	rank   float64 // the probability of each row
	even   bool    // rows that stay are made larger, so that their mean stays what it is
	key    string
}

func (d dropping) check() error {
	return cmp.Or(probability("ModuleDropout", d.module), probability("RankDropout", d.rank))
}

// rows are factors on the rows of an update [out×1]; nil outside of training and where nothing is left out.
func (d dropping) rows(p *peft.Pass, out int) *tensor.Tensor {
	if !p.Train || d.module == 0 && d.rank == 0 {
		return nil
	}
	each := p.Dropout(ones(p, out), d.rank, d.key+"/rank_dropout")
	if !d.even {
		each = tensor.Scale(each, 1-d.rank)
	}
	all := stays(p, 1, d.module, d.key+"/module_dropout")
	return tensor.Mul(each, tensor.GatherRows(all, make([]int32, out), nil))
}

// stays is a column of n numbers, each 0 with a probability in training and 1 else.
func stays(p *peft.Pass, n int, prob float64, key string) *tensor.Tensor {
	if !p.Train || prob == 0 {
		return ones(p, n)
	}
	return tensor.Scale(p.Dropout(ones(p, n), prob, key), 1-prob)
}

func ones(p *peft.Pass, n int) *tensor.Tensor {
	return p.Scope().Tensor(slices.Repeat([]float64{1}, n), n, 1)
}

// blocksStay leaves some of so many blocks of x out in training: of rotations less I, which are then none.
func blocksStay(p *peft.Pass, x *tensor.Tensor, blocks int, prob float64, key string) *tensor.Tensor {
	if !p.Train || prob == 0 {
		return x
	}
	rows := tensor.Reshape(x, blocks, x.Len()/blocks)
	return tensor.Reshape(tensor.Mul(rows, stays(p, blocks, prob, key)), x.Shape()...)
}
