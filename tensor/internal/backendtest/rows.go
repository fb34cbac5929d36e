package backendtest

import (
	"math"

	"peft/tensor/internal/backend"
)

func rowCases() []testCase {
	return []testCase{
		{"GatherRows", 60, gatherRows},
		{"ScatterRows", 60, scatterRows},
		{"SegmentSum", 60, segmentSum},
		{"Rotate", 80, rotate},
	}
}

// rowNumbers are n rows of a matrix of rows rows, some of them none.
func (t *trial) rowNumbers(n, rows int) []int32 {
	idx := make([]int32, n)
	for i := range idx {
		idx[i] = int32(t.rng.IntN(rows+1)) - 1
	}
	return idx
}

// gatherRows: two products and a sum are rounded.
func gatherRows(t *trial) {
	n, rows, cols, beta := t.sizeOrNone(), t.sizeOrNone(), t.sizeOrNone(), t.beta()
	dst, src, idx, scale := t.out(n, cols, beta), t.in(rows, cols), t.rowNumbers(n, rows), t.scales(n)
	t.do(func(s *side) { s.GatherRows(s.of(dst), s.of(src), idx, s.factors(scale), beta) })
	t.summed(dst, 4)
}

// scatterRows: a row may be added to as often as there are rows.
func scatterRows(t *trial) {
	n, rows, cols := t.sizeOrNone(), t.sizeOrNone(), t.sizeOrNone()
	dst, src, idx, scale := t.inout(rows, cols), t.in(n, cols), t.rowNumbers(n, rows), t.scales(n)
	t.do(func(s *side) { s.ScatterRows(s.of(dst), s.of(src), idx, s.factors(scale)) })
	times, most := map[int32]int{}, 0
	for _, i := range idx {
		times[i]++
		if i >= 0 {
			most = max(most, times[i])
		}
	}
	t.summed(dst, most+2)
}

// segmentSum has rows before the first segment and after the last that are not read.
func segmentSum(t *trial) {
	cols, beta, longest := t.sizeOrNone(), t.beta(), pick(t, 1, 5, 70)
	start, rows := t.starts(t.sizeOrNone(), longest)
	before, after := t.rng.IntN(3), t.rng.IntN(3)
	for s := range start {
		start[s] += int32(before)
	}
	x, scale := t.in(before+rows+after, cols), t.scales(len(start)-1)
	dst := t.out(len(start)-1, cols, beta)
	if x.rowStride != 0 {
		x.each(func(i, j int) {
			if i < before || i >= before+rows {
				x.set(i, j, math.NaN())
			}
		})
	}
	t.do(func(s *side) { s.SegmentSum(s.of(dst), s.of(x), start, s.factors(scale), beta) })
	t.summed(dst, longest+4)
}

// rotate: sine and cosine are rounded, and two products, their sum, and a factor. What is not turned is only added.
func rotate(t *trial) {
	n, heads, size, beta, inverse := t.sizeOrNone(), pick(t, 1, 2, 3), pick(t, 2, 3, 8, 12, 17, 32, 64), t.beta(), t.chance(2)
	r := &backend.Rotary{Heads: heads, Dim: 2 * t.rng.IntN(size/2+1), Scale: pick(t, 1, 1.3), Interleaved: t.chance(2)}
	if t.chance(2) {
		r.Dim = size / 2 * 2
	}
	r.Freq, r.Pos = t.frequencies(r.Dim/2), t.positions(n)
	dst, x := t.perhapsSame(t.out(n, heads*size, beta), t.in(n, heads*size))
	t.do(func(s *side) { s.Rotate(s.of(dst), s.of(x), r, inverse, beta) })
	t.within(dst, func(i, j int, want float64) float64 {
		pair := x.at(i, j/size*size+partner(r, j%size))
		return u * (6*r.Scale*(math.Abs(x.at(i, j))+math.Abs(pair)) + 3*t.before(dst, i, j, beta))
	})
}

// frequencies are those of rotary positions: powers of a base.
func (t *trial) frequencies(n int) []float64 {
	freq, base := make([]float64, n), pick(t, 1e4, 5e5)
	for c := range freq {
		freq[c] = math.Pow(base, -float64(c)/float64(n))
	}
	return freq
}

// positions are those of n rows: counted from somewhere, or anywhere.
func (t *trial) positions(n int) []int32 {
	pos, from, anywhere := make([]int32, n), t.rng.IntN(1<<17), t.chance(3)
	for i := range pos {
		pos[i] = int32(from + i)
		if anywhere {
			pos[i] = int32(t.rng.IntN(1 << 20))
		}
	}
	return pos
}

// partner is the number of a head with which number j is turned; itself where it is not.
func partner(r *backend.Rotary, j int) int {
	switch {
	case j >= r.Dim:
		return j
	case r.Interleaved:
		return j ^ 1
	}
	return (j + r.Dim/2) % r.Dim
}
