package backendtest

import "math"

func reductionCases() []testCase {
	return []testCase{
		{"Sum", 60, sum},
		{"SumSquares", 30, sumSquares},
		{"Finite", 60, finite},
	}
}

// sum: as many additions as numbers are added.
func sum(t *trial) {
	rows, cols, beta := t.sizeOrNone(), t.sizeOrNone(), t.beta()
	x := t.in(rows, cols)
	dst := t.out(pick(t, 1, rows), pick(t, 1, cols), beta)
	t.do(func(s *side) { s.Sum(s.of(dst), s.of(x), beta) })
	t.summed(dst, rows*cols/max(1, dst.rows*dst.cols)+2)
}

// sumSquares is good to float64, as many additions as there are numbers: squares of float32 are exact in float64.
func sumSquares(t *trial) {
	x := t.in(t.sizeOrNone(), t.sizeOrNone())
	unit := math.Ldexp(1, -53)
	t.number(func(s *side) float64 { return s.SumSquares(s.of(x)) }, func(want float64) float64 { return float64(x.rows*x.cols) * unit * want })
}

// finite hides one number that is not among others, or around them.
func finite(t *trial) {
	rows, cols := t.size(), t.size()
	x := t.in(rows, cols)
	if t.chance(2) {
		x.set(t.rng.IntN(rows), t.rng.IntN(cols), pick(t, math.NaN(), math.Inf(1), math.Inf(-1)))
	}
	t.number(func(s *side) float64 {
		if s.Finite(s.of(x)) {
			return 1
		}
		return 0
	}, func(float64) float64 { return 0 })
}

// number checks a call whose result is a number, as within does.
func (t *trial) number(call func(*side) float64, bound func(want float64) float64) {
	t.Helper()
	got := map[*side]float64{}
	t.do(func(s *side) { got[s] = call(s) })
	first := got[t.sides[0]]
	for n, s := range t.sides[1:] {
		if !sameBits(first, got[s]) {
			t.fail("%v on side 0 and %v on side %d", first, got[s], n+1)
		}
	}
	if want := got[t.reference]; math.Abs(first-want) > bound(want) {
		t.fail("%v, not %v ± %.3g", first, want, bound(want))
	}
}
