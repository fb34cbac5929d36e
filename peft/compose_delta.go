package peft

import (
	"slices"

	"peft/tensor"
)

// A branch is what one patch of a composition adds at one place: its deltas act in order.
type branch []Delta

// value is the sum of what the deltas add; nil where there are none.
func (b branch) value(p *Pass, t Tap) (sum *tensor.Tensor) {
	for _, d := range b {
		v := d.Forward(p, t)
		t.Y = tensor.Add(t.Y, v)
		if sum == nil {
			sum = v
		} else {
			sum = tensor.Add(sum, v)
		}
	}
	return sum
}

// An average is Σ wᵢ·Δᵢ.
type average struct {
	weights []float64
	of      []branch
}

// averaged is an average, which folds where all that is averaged does.
func averaged(weights []float64, of []branch) Delta {
	a := average{weights, of}
	for _, b := range of {
		if slices.ContainsFunc(b, func(d Delta) bool { _, ok := d.(Folder); return !ok }) {
			return a
		}
	}
	return foldedAverage{a}
}

// Kind says why it has no Fold.
func (a average) Kind() string {
	for _, d := range slices.Concat(a.of...) {
		if _, ok := d.(Folder); !ok {
			return "an average with " + kindOf(d)
		}
	}
	return "an average"
}

// Forward is the average.
func (a average) Forward(p *Pass, t Tap) (sum *tensor.Tensor) {
	for i, b := range a.of {
		v := b.value(p, t)
		switch {
		case v == nil:
		case sum == nil:
			sum = tensor.Scale(v, a.weights[i])
		default:
			sum = tensor.Add(sum, tensor.Scale(v, a.weights[i]))
		}
	}
	return sum
}

// A foldedAverage is an average of deltas that fold.
type foldedAverage struct{ average }

// Fold is the average of what each patch adds to the parameters.
func (a foldedAverage) Fold(p *Pass, w, b *tensor.Tensor) (w2, b2 *tensor.Tensor) {
	rest := 1.0
	for i, deltas := range a.of {
		wi, bi := w, b
		for _, d := range deltas {
			wi, bi = d.(Folder).Fold(p, wi, bi)
		}
		w2, b2 = plus(w2, wi, a.weights[i]), plus(b2, bi, a.weights[i])
		rest -= a.weights[i]
	}
	return plus(w2, w, rest), plus(b2, b, rest)
}

// plus is sum + x·weight, where nil is nothing.
func plus(sum, x *tensor.Tensor, weight float64) *tensor.Tensor {
	switch {
	case x == nil:
		return sum
	case sum == nil:
		return tensor.Scale(x, weight)
	}
	return tensor.Add(sum, tensor.Scale(x, weight))
}

// A split adds Δᵢ to the rows from lengths[0] + … + lengths[i−1] to lengths[0] + … + lengths[i] of each sequence.
type split struct {
	lengths []int
	of      []branch
}

// Forward is what is added.
func (s split) Forward(p *Pass, t Tap) (sum *tensor.Tensor) {
	l := t.X.Layout()
	for i, b := range s.of {
		if v := b.value(p, t); v != nil {
			sum = plus(sum, tensor.Mul(v, p.scope.Tensor(s.mask(l, i), l.Rows(), 1)), 1)
		}
	}
	return sum
}

// mask is one at the rows of patch i.
func (s split) mask(l *tensor.Layout, i int) []float64 {
	mask, from := make([]float64, l.Rows()), total(s.lengths[:i])
	for sequence := range l.Sequences() {
		lo, hi := l.Bounds(sequence)
		fits(hi-lo, s.lengths)
		for row := lo + from; row < min(lo+from+s.lengths[i], hi); row++ {
			mask[row] = 1
		}
	}
	return mask
}
