package peft

import (
	"fmt"
	"slices"
)

// Mean is a patch whose parameters are the weighted sum of those of patches that one method made: a mean, if the weights are shares of one. AdapterHub's library calls it average_adapter.
// It is as small and as fast as one of them. [Average] is the mean of what they compute, which it is not: a product of two averaged factors has mixed terms. Patches that do not have the same parameters, at the same entries, are refused.
func Mean(terms ...Term) (*Patch, error) {
	if err := CheckTerms(terms); err != nil {
		return nil, fmt.Errorf("peft: mean: %w", err)
	}
	first := terms[0].Patch
	out, err := AttachTo(first.sites, first.method, 0)
	if err != nil {
		return nil, fmt.Errorf("peft: mean: %w", err)
	}
	if len(out.params) < len(first.params) { // a head that came with a file
		out.TrainHead()
	}
	for _, x := range out.params {
		if err := out.mean(x, terms); err != nil {
			return nil, fmt.Errorf("peft: mean: %s: %w", x.Name, err)
		}
	}
	return out, nil
}

// mean gives a parameter the weighted sum of those of its name.
func (q *Patch) mean(x *Param, terms []Term) error {
	sums := make([][]float64, len(x.Pool))
	for _, t := range terms {
		y := t.Patch.byName[x.Name]
		switch {
		case len(t.Patch.params) != len(q.params) || y == nil || len(y.Pool) != len(x.Pool):
			return fmt.Errorf("the patches do not have the same parameters")
		case !slices.Equal(x.Places, y.Places):
			return fmt.Errorf("the patches train other entries")
		}
		for i, e := range y.Pool {
			if !slices.Equal(e.Shape(), x.Pool[i].Shape()) {
				return fmt.Errorf("found shapes %v and %v", x.Pool[i].Shape(), e.Shape())
			}
			if sums[i] == nil {
				sums[i] = make([]float64, e.Len())
			}
			for k, v := range e.Float64s() {
				sums[i][k] += t.Weight * v
			}
		}
	}
	for i, e := range x.Pool {
		e.Assign(sums[i])
	}
	return nil
}
