package peft

import (
	"slices"
	"strconv"

	"peft/tensor"
)

// A deal says to which part of a composition a sequence of a batch of so many goes, and which sequence of how many of that part's it is. It panics if the batch does not fit.
type deal func(sequence, of int) (part, number, size int)

// deals gives the first number[0] sequences to the first part, and so on.
func deals(number []int) deal {
	return func(sequence, of int) (part, at, size int) {
		if all := total(number); of != all {
			panic(&tensor.ShapeError{Op: "BatchSplit", Got: strconv.Itoa(of) + " sequences", Want: strconv.Itoa(all)})
		}
		for sequence >= number[part] {
			sequence, part = sequence-number[part], part+1
		}
		return part, sequence, number[part]
	}
}

// copies gives all sequences to each of n parts, for which the batch holds them n times.
func copies(n int) deal {
	return func(sequence, of int) (part, at, size int) {
		if of%n != 0 {
			panic(&tensor.ShapeError{Op: "Parallel", Got: strconv.Itoa(of) + " sequences", Want: "all sequences " + strconv.Itoa(n) + " times"})
		}
		size = of / n
		return sequence / size, sequence % size, size
	}
}

// to is whether a sequence goes to a part, and there to a part of that where it is one itself.
func (d deal) to(part int, within func(sequence, of int) bool) func(sequence, of int) bool {
	return func(sequence, of int) bool {
		at, number, size := d(sequence, of)
		return at == part && (within == nil || within(number, size))
	}
}

// A rowShare is the rows of a batch that a part of a composition computes, in a pass that knows its sequences by their numbers within the part.
type rowShare struct {
	pass      *Pass
	sequences []int
	rows      []int32
	layout    *tensor.Layout
	void      bool // what is computed is nobody's
}

// of is the share's rows of x.
func (s rowShare) of(x *tensor.Tensor) *tensor.Tensor {
	if x == nil {
		return nil
	}
	return tensor.GatherRows(x, s.rows, s.layout)
}

// shares are those of n parts.
func (d deal) shares(n int) func(p *Pass, l *tensor.Layout) []rowShare {
	return func(p *Pass, l *tensor.Layout) []rowShare {
		all := make([]rowShare, n)
		for i := range all {
			sub := *p
			sub.numbers = []int{}
			all[i].pass = &sub
		}
		for s := range l.Sequences() {
			number, of := p.number(s, l)
			part, at, size := d(number, of)
			x := &all[part]
			x.sequences, x.pass.numbers, x.pass.of = append(x.sequences, s), append(x.pass.numbers, at), size
		}
		for i := range all {
			all[i].layout, all[i].rows = l.Select(all[i].sequences)
		}
		return all
	}
}

// stretches gives the first lengths[0] rows of each sequence to the first part, and so on. A sequence may be shorter than all of them, not longer. A part that has no rows gets one to no avail:
// what it trains has a gradient of zero rather than none, as where padding goes through it.
func stretches(lengths []int) func(p *Pass, l *tensor.Layout) []rowShare {
	return func(p *Pass, l *tensor.Layout) (all []rowShare) {
		from := 0
		for _, n := range lengths {
			x := rowShare{pass: p, layout: &tensor.Layout{Start: []int32{0}}}
			for s := range l.Sequences() {
				lo, hi := l.Bounds(s)
				fits(hi-lo, lengths)
				x.take(l, lo+from, min(lo+from+n, hi))
			}
			if len(x.rows) == 0 {
				x.void, x.layout.Start = true, x.layout.Start[:1]
				x.take(l, 0, 1)
				x.layout.Start = append(x.layout.Start, slices.Repeat([]int32{1}, l.Sequences()-1)...)
			}
			all, from = append(all, x), from+n
		}
		return all
	}
}

// take adds rows lo to hi as another sequence.
func (s *rowShare) take(l *tensor.Layout, lo, hi int) {
	for row := lo; row < hi; row++ {
		s.rows = append(s.rows, int32(row))
		s.layout.Append(l, row)
	}
	s.layout.Start = append(s.layout.Start, int32(len(s.rows)))
}

// fits panics if a sequence has more rows than all parts.
func fits(rows int, lengths []int) {
	if all := total(lengths); rows > all {
		panic(&tensor.ShapeError{Op: "Split", Got: "a sequence of " + strconv.Itoa(rows) + " rows", Want: "at most " + strconv.Itoa(all)})
	}
}
