package models

import (
	"fmt"
	"slices"

	"peft/tensor"
)

// Check returns which of some examples does not suit the model, and why: a token or a type that it does not know, more tokens than it has positions, of which a patch may take some
// ([peft.Patch.Taken]), labels that are too many, too few or of no class. So it is told before anything is computed.
func (m *Opened) Check(in *Inputs, taken int) error {
	for i := range in.Len() {
		if err := m.suits(in, i, taken); err != nil {
			return fmt.Errorf("models: example %d: %w", i, err)
		}
	}
	return nil
}

func (m *Opened) suits(in *Inputs, example, taken int) error {
	b := newBatch(m.Model)
	if err := b.add(m.Model, in.sequence(example)); err != nil {
		return err
	}
	if last, have := int(slices.Max(b.Layout.Pos)), m.Limits().Positions; last+taken >= have {
		return fmt.Errorf("%d tokens after %d rows that the method puts in front, the model has %d positions", last+1, taken, have)
	}
	if in.Labels == nil || m.Task() == NoTask {
		return nil
	}
	labels, err := in.labels(m.Model, example)
	if err != nil {
		return err
	}
	if m.Task() == CausalLM { // what a method puts before the first token may be scored with its label
		return labelled(append(b.scoredWith([][]int32{labels}), in.first(example, b.Slot[0])), m.classes())
	}
	return labelled(b.scoredWith([][]int32{labels}), m.classes())
}

// classes is how many there are to choose from: tokens for a language model.
func (m *Opened) classes() int {
	switch {
	case m.Task() == MaskedLM || m.Task() == CausalLM:
		return m.Limits().Vocabulary
	case m.Options.Flexible.Layers > 0:
		return m.Options.Flexible.Labels
	}
	return m.Options.Labels
}

// labelled wants labels to be classes.
func labelled(labels []int32, classes int) error {
	for i, y := range labels {
		if y != tensor.Ignore && (y < 0 || int(y) >= classes) {
			return fmt.Errorf("label %d is %d, must be 0 to %d, or %d for none", i, y, classes-1, tensor.Ignore)
		}
	}
	return nil
}

// Classes is the least number of classes that holds all labels of examples; 0 without labels.
func (in *Inputs) Classes() (n int) {
	for _, labels := range in.Labels {
		for _, y := range labels {
			n = max(n, int(y)+1)
		}
	}
	return n
}
