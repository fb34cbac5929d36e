package prefix

import (
	"math"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// Objective is the loss of the input's answer and of those in front of it; nil, which is the model's own, where no rows stand before those that are scored.
func (c Context) Objective(p *peft.Pass, scores func(*peft.Pass) (*tensor.Tensor, []int32, error)) (*tensor.Tensor, error) {
	logits, labels, err := scores(p)
	if err != nil {
		return nil, err
	}
	if l := logits.Layout(); l == nil || l.Virtual == nil {
		return nil, nil
	}
	groups, n := c.answers(logits.Layout(), labels), 0
	for _, g := range groups {
		n += scored(g)
	}
	var loss *tensor.Tensor
	for age, g := range groups {
		if k := scored(g); k > 0 {
			term := tensor.Scale(tensor.CrossEntropy(logits, g), math.Pow(c.Decay, float64(age))*float64(k)/float64(n))
			loss = sum(loss, term)
		}
	}
	return loss, nil
}

// answers are the labels of all rows, apart for each answer: first those of the input, then those of the last example in front of it, and so on; all in one where they weigh the same.
func (c Context) answers(l *tensor.Layout, labels []int32) [][]int32 {
	kinds, groups := c.kinds(), [][]int32{slices.Clone(labels)}
	for range kinds {
		groups = append(groups, slices.Repeat([]int32{tensor.Ignore}, len(labels)))
	}
	for s := range l.Sequences() {
		lo, _ := l.Bounds(s)
		for i, kind := range c.Types[1:] {
			if kind > 0 && kind%4 == answerType {
				groups[1+slices.Index(kinds, kind)][lo+i] = c.IDs[1+i]
			}
		}
	}
	return groups
}

// kinds are the types of answers that are predicted, the last first; none where they weigh as much as the input's.
func (c Context) kinds() (all []int) {
	if c.Decay == 0 || c.Decay == 1 {
		return nil
	}
	for _, kind := range c.Types[1:] {
		if kind > 0 && kind%4 == answerType {
			all = append(all, kind)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	slices.Reverse(all)
	return all
}

// scored is how many labels there are.
func scored(labels []int32) (n int) {
	for _, y := range labels {
		if y != tensor.Ignore {
			n++
		}
	}
	return n
}

// sum is a + b; a may be nil.
func sum(a, b *tensor.Tensor) *tensor.Tensor {
	if a == nil {
		return b
	}
	return tensor.Add(a, b)
}
