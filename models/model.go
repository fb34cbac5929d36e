package models

import (
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// A Model is a pre-trained model with a head for a task, or without one.
type Model interface {
	// Forward computes a batch: logits [sequences×labels] for sequence classification, [rows×labels] for a task on tokens, the last hidden state [rows×size] without a head.
	Forward(p *peft.Pass, b *Batch) *tensor.Tensor
	// ModelType is the family's name in config.json.
	ModelType() string
	// Task is what the head is for.
	Task() Task
	// Limits are the sizes that inputs must respect.
	Limits() Limits
	// Positions are the position numbers of the tokens of one sequence, padding included.
	Positions(s Sequence) []int32
}

// A Task is what a model's head is for.
type Task string

// The tasks, as the programs name them.
const (
	NoTask                 Task = "" // the last hidden state
	SequenceClassification Task = "seqcls"
	TokenClassification    Task = "tokcls"
	MaskedLM               Task = "mlm"
	CausalLM               Task = "lm"
)

// Limits are the sizes that inputs must respect.
type Limits struct{ Vocabulary, Types, Positions, Labels int }

// Loss is the mean cross-entropy of a batch's logits over its labels; [tensor.Ignore] leaves a row out.
func Loss(logits *tensor.Tensor, b *Batch) (*tensor.Tensor, error) {
	labels := b.Scored(logits)
	if err := checkLabels(labels, logits.Rows(), logits.Cols()); err != nil {
		return nil, err
	}
	return tensor.CrossEntropy(logits, labels), nil
}

func checkLabels(labels []int32, rows, classes int) error {
	if len(labels) != rows {
		return fmt.Errorf("models: %d labels for %d rows of logits", len(labels), rows)
	}
	if err := labelled(labels, classes); err != nil {
		return fmt.Errorf("models: %w", err)
	}
	return nil
}

// BatchLoss is the loss of a batch by its labels: [Loss] of what the model computes, but without the matrix of all logits where the model knows how (a causal language model does), so this
// is what training calls.
func BatchLoss(p *peft.Pass, m Model, b *Batch) (*tensor.Tensor, error) {
	if l, ok := m.(interface {
		Loss(p *peft.Pass, b *Batch) (*tensor.Tensor, error)
	}); ok {
		return l.Loss(p, b)
	}
	return Loss(m.Forward(p, b), b)
}

// Targets is the number of labels that are scored.
func Targets(labels []int32) (n int) {
	for _, y := range labels {
		if y != tensor.Ignore {
			n++
		}
	}
	return n
}

// Correct is how many of a batch's labels that are scored have the largest logit of their row.
func Correct(logits *tensor.Tensor, b *Batch) (n int) {
	values, cols := logits.Float32s(), logits.Cols()
	for i, y := range b.Scored(logits) {
		if y != tensor.Ignore && largest(values[i*cols:(i+1)*cols]) == int(y) {
			n++
		}
	}
	return n
}

func largest(row []float32) (at int) {
	for j, v := range row {
		if v > row[at] {
			at = j
		}
	}
	return at
}

// chainToFirsts runs x through the blocks of an encoder of whose result the first row of each sequence is all that is read: if nothing that is added reads more, the last block computes no other.
func chainToFirsts[L comparable](p *peft.Pass, x *tensor.Tensor, layers []L, part func(l L, p *peft.Pass, y, x *tensor.Tensor) *tensor.Tensor) *tensor.Tensor {
	last, alone := layers[len(layers)-1], p.RowWise(len(layers)-1)
	return peft.Chain(p, x, layers, func(l L, p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
		if alone && l == last {
			return part(l, p, firsts(x), x)
		}
		return part(l, p, x, x)
	})
}

// firsts is the first row of each sequence of x.
func firsts(x *tensor.Tensor) *tensor.Tensor {
	l := x.Layout()
	return tensor.GatherRows(x, l.Start[:l.Sequences()], tensor.Singles(l.Sequences()))
}
