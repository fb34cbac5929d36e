package backendtest

import (
	"math"

	"peft/tensor/internal/reference"
)

const (
	u    = 1.0 / (1 << 24)           // unit round-off of float32
	tiny = 0x1p-126                  // smallest normal float32: below it a backend may flush to zero
	last = math.MaxFloat32 * (1 + u) // beyond it a number rounds to infinity
)

// within checks result o: the same bits on all sides, and within bound of the reference's number, want.
func (t *trial) within(o *operand, bound func(i, j int, want float64) float64) {
	t.Helper()
	o.checked = true
	got := t.sides[0].read(o)
	for n, s := range t.sides[1:] {
		t.identical(o, got, s.read(o), n+1)
	}
	want := t.reference.read(o)
	o.each(func(i, j int) {
		p := o.place(i, j)
		if limit := bound(i, j, want[p]); !near(got[p], want[p], limit) {
			t.fail("element (%d, %d) of the [%d×%d] result is %v, not %v ± %.3g: %.1f times the bound",
				i, j, o.rows, o.cols, got[p], want[p], limit, math.Abs(got[p]-want[p])/limit)
		}
	})
}

// withinMaybe is within for a result that may be missing.
func (t *trial) withinMaybe(o *operand, bound func(i, j int, want float64) float64) {
	t.Helper()
	if o != nil {
		t.within(o, bound)
	}
}

// relative checks a result that is off by n roundings of its own size.
func (t *trial) relative(o *operand, n float64) {
	t.Helper()
	t.within(o, func(_, _ int, want float64) float64 { return n * u * math.Abs(want) })
}

// summed checks a result that is a sum of products, off by n roundings of the sum of their absolute values.
func (t *trial) summed(o *operand, n int) {
	t.Helper()
	size := t.magnitude(o)
	t.within(o, func(i, j int, _ float64) float64 { return float64(n) * u * size(i, j) })
}

// magnitude is what the reference makes of the trial's call with the absolute values of all operands.
func (t *trial) magnitude(o *operand) func(i, j int) float64 {
	s := newSide(reference.New())
	s.magnitude = true
	t.call(s)
	v := s.read(o)
	return func(i, j int) float64 { return v[o.place(i, j)] }
}

// identical checks that the first side and another made the same bits of result o.
func (t *trial) identical(o *operand, a, b []float64, other int) {
	t.Helper()
	o.each(func(i, j int) {
		if p := o.place(i, j); !sameBits(a[p], b[p]) {
			t.fail("element (%d, %d) of the [%d×%d] result is %v on side 0 and %v on side %d", i, j, o.rows, o.cols, a[p], b[p], other)
		}
	})
}

// sameBits reports whether two numbers are the same; all NaNs are.
func sameBits(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

// near reports whether got is want rounded to float32 after an error of at most bound, or where that underflows. An infinite bound allows any number
// in the place of a finite one.
func near(got, want, bound float64) bool {
	switch {
	case math.IsInf(want, 0):
		return got == want
	case math.IsInf(bound, 1):
		return true
	case math.IsNaN(want) || math.IsNaN(got):
		return math.IsNaN(want) && math.IsNaN(got)
	case math.IsInf(got, 0):
		return math.Abs(want)+bound >= last && math.Signbit(got) == math.Signbit(want)
	}
	return math.Abs(got-want) <= bound+u*math.Abs(want)+tiny
}
