package peft

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"peft/tensor"
)

// A Term is one of the patches of a weighted sum.
type Term struct {
	Patch  *Patch
	Weight float64
}

// CheckTerms wants at least one term, finite weights, and patches of one model.
func CheckTerms(terms []Term) error {
	if len(terms) == 0 {
		return errors.New("there is no patch to sum")
	}
	for _, t := range terms {
		if math.IsNaN(t.Weight) || math.IsInf(t.Weight, 0) {
			return fmt.Errorf("a weight is %v, must be finite", t.Weight)
		}
		if t.Patch.sites.model != terms[0].Patch.sites.model {
			return errors.New("the patches belong to different models")
		}
	}
	return nil
}

// MergeSum folds the weighted sum of what patches change into one patch of plain stand-ins. With ΔWᵢ what [Merge] of the i-th patch alone makes of a parameter W, less W, the result is
//
//	W' = W + Σ wᵢ·ΔWᵢ
//
// A negative weight takes away what a patch has learned. What stands in for parameters of the model's head is not weighed, since a new head is nothing that is added to another: it stays as it
// is, and patches that disagree about it are refused by name. So is all that [Merge] refuses.
func MergeSum(d *tensor.Device, model any, terms ...Term) (*Patch, error) {
	if err := CheckTerms(terms); err != nil {
		return nil, fmt.Errorf("peft: merge: %w", err)
	}
	s, err := FindSites(d, model)
	if err != nil {
		return nil, err
	}
	w := &weigher{dev: d, out: NewPatch(s)}
	for _, t := range terms {
		pass := With(d, t.Patch).NoGrad()
		defer pass.Close()
		w.terms = append(w.terms, folded{&merger{Pass: pass}, t.Weight})
	}
	for x := range s.All() {
		if err := w.site(x); err != nil {
			return nil, fmt.Errorf("peft: merge: %s: %w", x.Name(), err)
		}
	}
	return w.out, nil
}

// A weigher sums site by site, so that only one site's parameters are held beside the result.
type weigher struct {
	dev   *tensor.Device
	out   *Patch
	terms []folded
}

type folded struct {
	*merger
	weight float64
}

// site folds each patch at one site, and keeps the sums.
func (w *weigher) site(x Site) error {
	for _, t := range w.terms {
		t.out = NewPatch(w.out.sites)
		if err := t.site(x); err != nil {
			return err
		}
	}
	for _, f := range x.Frozen() {
		if w.out.byName[f.Name] != nil {
			continue
		}
		sum, err := w.sum(f, roleOf(x) == Head)
		if err != nil {
			return err
		}
		if sum == nil {
			continue
		}
		w.out.Substitute(f, Whole{w.out.NewFixed(f.Name, sum, f.Shape...)})
	}
	return nil
}

// sum is the new value of a parameter, nil where no patch changes it.
func (w *weigher) sum(f *Frozen, head bool) (sum []float64, err error) {
	var base []float64
	whole := head && slices.ContainsFunc(w.terms, func(t folded) bool { return t.substituted(f) })
	for _, t := range w.terms {
		x := t.out.byName[f.Name]
		if x == nil {
			continue
		}
		v := x.Tensor().Float64s()
		switch {
		case whole:
			if sum != nil && !slices.Equal(sum, v) {
				return nil, fmt.Errorf("the patches disagree about %s, which is the model's head and is not weighed", f.Name)
			}
			sum = v
			continue
		case sum == nil:
			base = w.values(f)
			sum = slices.Clone(base)
		}
		for i := range v {
			sum[i] += t.weight * (v[i] - base[i])
		}
	}
	return sum, finite(f, sum)
}

// values are the base's; zeros where it has no such parameter.
func (w *weigher) values(f *Frozen) []float64 {
	if v := f.Values(w.dev); v != nil {
		return v
	}
	return make([]float64, f.size())
}

func finite(f *Frozen, v []float64) error {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("the folded %s is not finite; the model is as it was", f.Name)
		}
	}
	return nil
}
