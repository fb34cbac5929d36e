package models

import (
	"peft/peft"
	"peft/tensor"
)

// lasts is the last row of each sequence of x whose token is not padding, or its first row where all are.
func lasts(x *tensor.Tensor, b *Batch, pad int) *tensor.Tensor {
	n := b.Layout.Sequences()
	rows, real := make([]int32, n), x.Layout().Real()
	for s := range n {
		lo, hi := b.Layout.Bounds(s)
		at := hi - 1
		for at > lo && int(b.IDs[at]) == pad {
			at--
		}
		rows[s] = real[at]
	}
	return tensor.GatherRows(x, rows, tensor.Singles(n))
}

// next is for each token of a sequence the label that it is to predict: that of the token after it, wherever either is masked.
func next(labels []int32) []int32 {
	shifted := make([]int32, len(labels))
	copy(shifted, labels[1:])
	shifted[len(labels)-1] = tensor.Ignore
	return shifted
}

// atOnce is how many logits a causal language model has at once while it is trained.
const atOnce = 1 << 23

// headLoss is the loss of the last hidden state, for a few rows of logits at a time. The output's matrix, the largest of all, is made ready while there are no activations yet.
func headLoss(p *peft.Pass, b *Batch, hidden func(*peft.Pass, *Batch) *tensor.Tensor, output *peft.Linear) (*tensor.Tensor, error) {
	output.Ready(p)
	x := hidden(p, b)
	labels := b.Scored(x)
	if err := checkLabels(labels, x.Rows(), output.Out); err != nil {
		return nil, err
	}
	return p.HeadLoss(x, labels, max(64, atOnce/output.Out), func(x *tensor.Tensor) *tensor.Tensor { return output.Apply(p, x) }), nil
}

// outputEmbedding is the map of a causal language model from hidden states to tokens: by the table that embeds them, where the configuration ties both.
func outputEmbedding(c *Config, words *peft.Embedding) peft.Linear {
	w := &peft.Frozen{Shape: []int{c.Vocabulary, c.Hidden}}
	if c.Tie != nil && *c.Tie {
		w = words.W
	}
	return peft.Linear{In: c.Hidden, Out: c.Vocabulary, W: w, B: &peft.Frozen{Shape: []int{c.Vocabulary}, Absent: true}, IsHead: true}
}

// score is the map of a decoder's sequence classifier.
func score(c *Config, labels int) peft.Linear {
	return peft.Linear{
		In: c.Hidden, Out: labels, W: &peft.Frozen{Shape: []int{labels, c.Hidden}}, B: &peft.Frozen{Shape: []int{labels}, Absent: true}, Role: peft.Head, IsHead: true,
	}
}
