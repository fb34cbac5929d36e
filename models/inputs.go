package models

import (
	"fmt"
	"math"

	"peft/tensor"
	"peft/tensor/safetensors"
)

// Inputs are examples in tokens: a row each, of any length. A table that there is none of is nil.
type Inputs struct {
	IDs, Mask, Types [][]int32 // tokens; 0 where one is padding or not to be seen; types of tokens
	Tasks            [][]int32 // one a row: the task of the example, for methods that know several
	Labels           [][]int32 // one class a row, or a label for each token; not shifted for causal language models
}

// ReadInputs reads the tensors input_ids, attention_mask, token_type_ids [examples × length], task_ids [examples] and labels [examples] or [examples × length].
func ReadInputs(f *safetensors.File) (*Inputs, error) {
	in := &Inputs{}
	for _, field := range []struct {
		name  string
		table *[][]int32
	}{{"input_ids", &in.IDs}, {"attention_mask", &in.Mask}, {"token_type_ids", &in.Types}, {"task_ids", &in.Tasks}, {"labels", &in.Labels}} {
		t, ok := f.Tensor(field.name)
		if !ok {
			continue
		}
		var err error
		if *field.table, err = table(t); err != nil {
			return nil, fmt.Errorf("models: inputs: %w", err)
		}
	}
	return in, in.check()
}

// check compares the shapes of the tables.
func (in *Inputs) check() error {
	if len(in.IDs) == 0 || len(in.IDs[0]) == 0 {
		return fmt.Errorf("models: inputs: found no input_ids with a row of tokens")
	}
	n, length := len(in.IDs), len(in.IDs[0])
	for name, t := range map[string][][]int32{"attention_mask": in.Mask, "token_type_ids": in.Types, "task_ids": in.Tasks, "labels": in.Labels} {
		wide := t != nil && len(t) == n && (len(t[0]) == length && name != "task_ids" || (name == "labels" || name == "task_ids") && len(t[0]) == 1)
		if t != nil && !wide {
			return fmt.Errorf("models: inputs: %s is a table %d×%d, input_ids is %d×%d", name, len(t), len(t[0]), n, length)
		}
	}
	return nil
}

// table is a tensor of integers with one or two axes.
func table(t safetensors.Tensor) ([][]int32, error) {
	if len(t.Shape) != 1 && len(t.Shape) != 2 {
		return nil, fmt.Errorf("%s has shape %v, expected one or two axes", t.Name, t.Shape)
	}
	v, err := t.Ints()
	if err != nil {
		return nil, err
	}
	cols := len(v) / max(1, t.Shape[0])
	rows := make([][]int32, t.Shape[0])
	for i := range rows {
		if rows[i], err = narrow(t.Name, v[i*cols:(i+1)*cols]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func narrow(name string, v []int64) ([]int32, error) {
	out := make([]int32, len(v))
	for i, x := range v {
		if x < math.MinInt32 || x > math.MaxInt32 {
			return nil, fmt.Errorf("%s holds %d, which is no token and no label", name, x)
		}
		out[i] = int32(x)
	}
	return out, nil
}

// Len is the number of examples.
func (in *Inputs) Len() int { return len(in.IDs) }

// Batch packs some examples, by their numbers, for a model, with their labels if there are any.
func (in *Inputs) Batch(m Model, examples ...int) (*Batch, error) {
	var sequences []Sequence
	for _, i := range examples {
		sequences = append(sequences, in.sequence(i))
	}
	b, err := Pack(m, sequences...)
	if err != nil {
		return nil, err
	}
	if in.Tasks != nil {
		for _, i := range examples {
			b.Tasks = append(b.Tasks, in.Tasks[i][0])
		}
	}
	if in.Labels == nil {
		return b, nil
	}
	return b, b.label(m, in, examples)
}

func (in *Inputs) sequence(i int) Sequence {
	s := Sequence{IDs: in.IDs[i]}
	if in.Types != nil {
		s.Types = in.Types[i]
	}
	if in.Mask != nil {
		s.Mask = make([]bool, len(s.IDs))
		for t, x := range in.Mask[i] {
			s.Mask[t] = x != 0
		}
	}
	return s
}

// label takes the labels of the examples: one a sequence, or one a row, as the model's task has it. A causal language model's row is scored with the next token's label.
func (b *Batch) label(m Model, in *Inputs, examples []int) error {
	var rows [][]int32
	for _, i := range examples {
		labels, err := in.labels(m, i)
		if err != nil {
			return fmt.Errorf("models: inputs: example %d: %w", i, err)
		}
		rows = append(rows, labels)
	}
	b.Labels = b.scoredWith(rows)
	if m.Task() == CausalLM {
		for s, i := range examples {
			b.Firsts = append(b.Firsts, in.first(i, b.Slot[b.Layout.Start[s]]))
		}
	}
	return nil
}

// labels are those of an example, as many as the model's task wants.
func (in *Inputs) labels(m Model, example int) ([]int32, error) {
	labels, want := in.scored(m, example), 1
	if perToken(m) {
		want = len(in.IDs[example])
	}
	if len(labels) != want {
		return nil, fmt.Errorf("%d labels, the task %q wants %d", len(labels), m.Task(), want)
	}
	return labels, nil
}

// scoredWith is the labels of the batch's sequences, or of its rows.
func (b *Batch) scoredWith(rows [][]int32) (labels []int32) {
	if b.perToken {
		return b.Pick(rows)
	}
	for _, r := range rows {
		labels = append(labels, r[0])
	}
	return labels
}

// first is the label of an example's first token, unless that is padding: what stands before it is then to predict the padding.
func (in *Inputs) first(example int, slot int32) int32 {
	if slot > 0 {
		return tensor.Ignore
	}
	return in.Labels[example][0]
}

// scored is the labels of an example at the tokens whose results are scored with them.
func (in *Inputs) scored(m Model, example int) []int32 {
	if m.Task() == CausalLM {
		return next(in.Labels[example])
	}
	return in.Labels[example]
}

// Targets is the number of labels that a model is scored with, over all examples.
func (in *Inputs) Targets(m Model) (n int) {
	for i := range in.Labels {
		labels := in.scored(m, i)
		for t, y := range labels {
			if y != tensor.Ignore && (len(labels) == 1 || in.Mask == nil || in.Mask[i][t] != 0) {
				n++
			}
		}
	}
	return n
}
