package tokenizer

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// An interval is a run of code points, both ends included.
type interval struct{ lo, hi rune }

// Ranges are code points as intervals in rising order that neither touch nor overlap.
type ranges []interval

// union returns the code points of any of the given intervals, in whatever order and however overlapping they are.
func union(all ...interval) ranges {
	slices.SortFunc(all, func(a, b interval) int { return cmp.Compare(a.lo, b.lo) })
	var out ranges
	for _, r := range all {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
		} else {
			out = append(out, r)
		}
	}
	return out
}

// not returns all other code points.
func (r ranges) not() ranges {
	var out ranges
	next := rune(0)
	for _, v := range r {
		if v.lo > next {
			out = append(out, interval{next, v.lo - 1})
		}
		next = v.hi + 1
	}
	if next <= utf8.MaxRune {
		out = append(out, interval{next, utf8.MaxRune})
	}
	return out
}

// and returns the code points that both have.
func (r ranges) and(o ranges) ranges {
	return union(slices.Concat(r.not(), o.not())...).not()
}

// A set is a set of code points that answers in constant time: a bit for each of them in pages of 256, equal pages kept once.
type set struct {
	page []uint16 // by the code point's upper bits
	bits [][4]uint64
}

// newSet makes a set of ranges.
func newSet(r ranges) *set {
	s := &set{}
	known := map[[4]uint64]uint16{}
	for lo := rune(0); len(r) > 0; lo += 256 {
		var bits [4]uint64
		for len(r) > 0 && r[0].lo <= lo+255 {
			fill(&bits, max(r[0].lo-lo, 0), min(r[0].hi-lo, 255))
			if r[0].hi > lo+255 {
				break
			}
			r = r[1:]
		}
		number, ok := known[bits]
		if !ok {
			number = uint16(len(s.bits))
			known[bits] = number
			s.bits = append(s.bits, bits)
		}
		s.page = append(s.page, number)
	}
	return s
}

func fill(bits *[4]uint64, lo, hi rune) {
	for w := range bits {
		a, b := max(lo-64*rune(w), 0), min(hi-64*rune(w), 63)
		if a <= b {
			bits[w] |= ^uint64(0) >> (63 - b + a) << a
		}
	}
}

// has says whether c is in the set.
func (s *set) has(c rune) bool {
	p := int(c >> 8)
	return p < len(s.page) && s.bits[s.page[p]][c>>6&3]>>(c&63)&1 != 0
}
