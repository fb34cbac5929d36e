package backendtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"peft/tensor/internal/backend"
	"peft/tensor/internal/reference"
)

// A failer is told of failures: a *testing.T.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
}

// A trial is one call with random operands, made on several sides whose results are compared.
type trial struct {
	failer
	name      string
	rng       *rand.Rand
	large     bool    // operands are large enough to be cut into blocks and shared among threads
	sides     []*side // give the same bits
	reference *side
	call      func(*side)
	operands  []*operand
	picked    []any
}

// newTrial is trial n of those that begin with seed, on some backends.
func newTrial(f failer, seed uint64, n int, on ...backend.Backend) *trial {
	t := &trial{failer: f, rng: rand.New(rand.NewPCG(seed, uint64(n))), name: fmt.Sprintf("%s=%d trial %d", seedVariable, seed, n)}
	t.reference = newSide(reference.New())
	for _, b := range on {
		t.sides = append(t.sides, newSide(b))
	}
	return t
}

// normal is a random number.
func (t *trial) normal() float32 { return float32(t.rng.NormFloat64()) }

// in is an operand that is read, in any layout.
func (t *trial) in(rows, cols int) *operand {
	return t.add(newOperand(rows, cols, anyLayout(t.rng, rows, cols), false, t.normal))
}

// inout is an operand that is read and written.
func (t *trial) inout(rows, cols int) *operand {
	return t.add(newOperand(rows, cols, distinctLayout(t.rng, rows, cols), true, t.normal))
}

// out is an operand that is written: beta·itself + result. With beta = 0 it holds NaN before.
func (t *trial) out(rows, cols int, beta float64) *operand {
	if beta != 0 {
		return t.inout(rows, cols)
	}
	nan := func() float32 { return float32(math.NaN()) }
	return t.add(newOperand(rows, cols, distinctLayout(t.rng, rows, cols), true, nan))
}

// contiguous is an operand that is read, and written if written.
func (t *trial) contiguous(rows, cols int, written bool) *operand {
	return t.add(newOperand(rows, cols, contiguousLayout(t.rng, rows, cols), written, t.normal))
}

// perhapsSame puts an operand and the destination, if neither is anything else, sometimes in the same place.
func (t *trial) perhapsSame(dst, x *operand) (_, _ *operand) {
	if !t.chance(4) || x.written {
		return dst, x
	}
	t.operands = slices.DeleteFunc(t.operands, func(o *operand) bool { return o == x })
	dst.each(func(i, j int) { dst.set(i, j, x.at(i, j)) })
	return dst, dst
}

// perhaps is in, or nil.
func (t *trial) perhaps(rows, cols int) *operand {
	if t.chance(3) {
		return nil
	}
	return t.in(rows, cols)
}

// perhapsOut is out, or nil.
func (t *trial) perhapsOut(rows, cols int, beta float64) *operand {
	if t.chance(4) {
		return nil
	}
	return t.out(rows, cols, beta)
}

// perhapsInout is inout, or nil.
func (t *trial) perhapsInout(rows, cols int) *operand {
	if t.chance(3) {
		return nil
	}
	return t.inout(rows, cols)
}

// spare is an operand of derive alone.
func (t *trial) spare(rows, cols int) *operand {
	return newOperand(rows, cols, contiguousLayout(t.rng, rows, cols), true, t.normal)
}

func (t *trial) add(o *operand) *operand {
	t.operands = append(t.operands, o)
	return o
}

// made is an operand that is read, to be given its numbers by derive.
func (t *trial) made(rows, cols int) *operand {
	return t.add(newOperand(rows, cols, distinctLayout(t.rng, rows, cols), false, t.normal))
}

// derive gives operands the numbers that the reference makes for them in another call than the trial's.
func (t *trial) derive(call func(*side), made ...*operand) {
	s := newSide(reference.New())
	call(s)
	for _, o := range made {
		v := s.read(o)
		o.each(func(i, j int) { o.set(i, j, v[o.place(i, j)]) })
	}
}

// do makes the call on all sides.
func (t *trial) do(call func(*side)) {
	t.call = call
	for _, s := range t.sides {
		call(s)
	}
	call(t.reference)
}

// finish checks that the call has written what it should and nothing else.
func (t *trial) finish() {
	t.Helper()
	for _, o := range t.operands {
		if o.written && !o.checked {
			t.fail("a result that the case does not check")
		}
		for _, s := range t.sides {
			t.untouched(s, o)
		}
	}
	for _, s := range t.sides {
		s.free()
	}
}

// untouched checks that s has the numbers around a result, and all of other operands, as they were.
func (t *trial) untouched(s *side, o *operand) {
	t.Helper()
	window, after := o.window(), s.read(o)
	for p, before := range o.data {
		if (!o.written || !window[p]) && !sameBits(float64(before), after[p]) {
			t.fail("%s wrote %v over number %d (%v) of operand %v", s.Name(), after[p], p, before, o.layout)
		}
	}
}

// fail ends the trial, saying which it was.
func (t *trial) fail(format string, args ...any) {
	t.Helper()
	t.Errorf("%s: %s", t.describe(), fmt.Sprintf(format, args...))
	t.FailNow()
}

// describe is the trial's name, what was picked for it, and its operands.
func (t *trial) describe() string {
	s := fmt.Sprint(t.name, " picked ", t.picked)
	for _, o := range t.operands {
		s += fmt.Sprintf(" [%d×%d]%+v", o.rows, o.cols, o.layout)
	}
	return s
}

var _ backend.Backend = side{}
