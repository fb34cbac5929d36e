package train

import (
	"context"

	"peft/peft"
	"peft/tensor"
)

// A Job is what is trained, and on what.
type Job struct {
	// Patch is what is trained: all its parameters but the fixed ones.
	Patch *peft.Patch
	// Examples is how many there are to train on.
	Examples int
	// Loss runs the model on some examples, by their numbers.
	Loss func(p *peft.Pass, rows []int) (Loss, error)
	// Scores runs the model on some examples and says what it makes of each, for methods with an [Objective]; others do without.
	Scores func(p *peft.Pass, rows []int) (Scores, error)
	// Length is the length of an example, by which [Config.GroupByLength] sorts.
	Length func(row int) int
	// Eval runs the model on what it is not trained on. It stops early, with an error, if the context is cancelled. Nil is no evaluation.
	Eval func(ctx context.Context) (Score, error)
}

// A Loss is what a forward pass says of its examples.
type Loss struct {
	Value   *tensor.Tensor // the mean over the targets, a scalar
	Targets int            // how many targets the mean is over: examples, or tokens that are scored
	Tokens  int            // how many tokens were read, for the speed
}

// Scores are what a forward pass makes of its examples.
type Scores struct {
	Logits *tensor.Tensor // [rows×classes]: a row for each example, or token
	Labels []int32        // one a row, tensor.Ignore where it is not scored
	Tokens int            // how many tokens were read, for the speed
}

// targets is the number of rows that are scored.
func (s Scores) targets() (n int) {
	for _, y := range s.Labels {
		if y != tensor.Ignore {
			n++
		}
	}
	return n
}

// A Score is the outcome of an evaluation.
type Score struct {
	Loss     float64
	Accuracy float64 // share of targets that were right; NaN where there is no such thing
}
