package backendtest

import (
	"math"

	"peft/tensor/internal/backend"
)

func optimizerCases() []testCase {
	return []testCase{{"AdamW", 60, adamW}}
}

// adamW: each moment is a sum of two products with at most four roundings each. 1−β is rounded by itself: made of β in float32 it would be off by u/(1−β).
func adamW(t *trial) {
	rows, cols := t.sizeOrNone(), t.sizeOrNone()
	p, g, m, v := t.contiguous(rows, cols, true), t.contiguous(rows, cols, false), t.contiguous(rows, cols, true), t.contiguous(rows, cols, true)
	c := backend.AdamW{
		LR: pick(t, 1e-5, 1e-3, 0.1), Beta1: pick(t, 0, 0.9), Beta2: pick(t, 0.95, 0.999), Eps: pick(t, 1e-8, 1e-6),
		Decay: pick(t, 0, 0.01, 0.1), GradScale: pick(t, 1, 0.37), Step: 1 + t.rng.IntN(100),
	}
	t.special(g, 0, 1e-12, 1e-25, -1e-30, 1e5)
	v.each(func(i, j int) { v.set(i, j, math.Pow(v.at(i, j), 2)) })
	if t.chance(3) {
		c.Step = 1
		v.each(func(i, j int) { m.set(i, j, 0); v.set(i, j, 0) })
	}
	t.do(func(s *side) { s.AdamW(s.of(p), s.of(g), s.of(m), s.of(v), c) })
	e := adamWError{c, p, g, m, v}
	t.within(m, func(i, j int, _ float64) float64 { return e.first(i, j) })
	t.relative(v, 6)
	t.within(p, e.parameter)
}

// An adamWError says how far the results of a step may be off.
type adamWError struct {
	backend.AdamW
	p, g, m, v *operand
}

// first is that of the first moment.
func (e adamWError) first(i, j int) float64 {
	return 4 * u * (e.Beta1*math.Abs(e.m.at(i, j)) + (1-e.Beta1)*math.Abs(e.GradScale*e.g.at(i, j)))
}

// parameter is that of the parameter: its own roundings, and of the step the first moment's error and the roundings of the division. The second moment is
// a sum of squares, off by 6 units of itself, or underflows where eps rules.
func (e adamWError) parameter(i, j int, _ float64) float64 {
	t, grad := float64(e.Step), e.GradScale*e.g.at(i, j)
	second := (e.Beta2*e.v.at(i, j) + (1-e.Beta2)*grad*grad) / (1 - math.Pow(e.Beta2, t))
	rate := e.LR / (1 - math.Pow(e.Beta1, t)) / (math.Sqrt(second) + e.Eps)
	first := e.Beta1*e.m.at(i, j) + (1-e.Beta1)*grad
	return rate*(e.first(i, j)+12*u*math.Abs(first)) + 4*u*math.Abs(e.p.at(i, j))
}
