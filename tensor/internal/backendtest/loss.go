package backendtest

import "math"

func lossCases() []testCase {
	return []testCase{
		{"CrossEntropy", 50, func(t *trial) { t.crossEntropy(t.sizeOrNone(), t.size()) }},
		{"CrossEntropyLong", 2, func(t *trial) { t.crossEntropy(3, 40000+t.rng.IntN(100)) }},
		{"CrossEntropySpecial", 40, func(t *trial) {
			t.crossEntropy(t.sizeOrNone(), t.size(), 0, 88, -88, 1e4, -1e4, 1e30, math.Inf(-1), math.NaN())
		}},
		{"CrossEntropyGrad", 50, func(t *trial) { t.crossEntropyGrad(t.sizeOrNone(), t.size()) }},
		{"CrossEntropyGradSpecial", 40, func(t *trial) { t.crossEntropyGrad(t.sizeOrNone(), t.size(), 0, 88, -88, 1e4, -1e4, math.Inf(-1)) }},
	}
}

// logits are operands of rows of classes, with some special numbers.
func (t *trial) logits(rows, classes int, special ...float64) *operand {
	x := t.in(rows, classes)
	x.each(func(i, j int) { x.set(i, j, 3*float64(t.normal())) })
	if special != nil {
		t.special(x, special...)
	}
	return x
}

// labels are classes of rows, some of them ignored.
func (t *trial) labels(rows, classes int) []int32 {
	label := make([]int32, rows)
	for i := range label {
		label[i] = int32(t.rng.IntN(classes))
		if t.chance(5) {
			label[i] = pick(t, int32(-1), -100)
		}
	}
	return label
}

// crossEntropy: the sum of exponentials is off by the part that softmax explains, hence its logarithm by as much; then the largest number is added to it
// and the label's taken away.
func (t *trial) crossEntropy(rows, classes int, special ...float64) {
	x, label := t.logits(rows, classes, special...), t.labels(rows, classes)
	loss, lse := t.out(rows, 1, 0), t.out(rows, 1, 0)
	t.do(func(s *side) { s.CrossEntropy(s.of(loss), s.of(lse), s.of(x), label) })
	top := rowMax(x)
	sum := func(i int) float64 {
		if label[i] < 0 || math.IsInf(top[i], 0) {
			return 0
		}
		return u * (3*float64(classes) + 16 + 2*math.Abs(top[i]))
	}
	t.within(lse, func(i, _ int, _ float64) float64 { return sum(i) })
	t.within(loss, func(i, _ int, want float64) float64 {
		if label[i] < 0 || math.IsInf(x.at(i, int(label[i])), 0) {
			return 0
		}
		return sum(i) + 2*u*math.Abs(x.at(i, int(label[i])))
	})
}

// crossEntropyGrad: an exponential whose argument is rounded, less one at the label, times a factor.
func (t *trial) crossEntropyGrad(rows, classes int, special ...float64) {
	x, label, beta := t.logits(rows, classes, special...), t.labels(rows, classes), t.beta()
	lse, dloss, loss := t.made(rows, 1), t.in(rows, 1), t.spare(rows, 1)
	dx, x := t.perhapsSame(t.out(rows, classes, beta), x)
	t.derive(func(s *side) { s.CrossEntropy(s.of(loss), s.of(lse), s.of(x), label) }, lse)
	t.do(func(s *side) { s.CrossEntropyGrad(s.of(dx), s.of(x), s.of(lse), s.of(dloss), label, beta) })
	t.within(dx, func(i, j int, _ float64) float64 {
		size := 0.0
		if label[i] >= 0 {
			size = 4 // one at the label
			if p := math.Exp(x.at(i, j) - lse.at(i, 0)); p > 0 {
				size += p * (10 + math.Abs(x.at(i, j)-lse.at(i, 0)))
			}
			if int(label[i]) != j {
				size -= 4
			}
		}
		return u*(size*math.Abs(dloss.at(i, 0))+3*t.before(dx, i, j, beta)) + tiny*math.Abs(dloss.at(i, 0))
	})
}
