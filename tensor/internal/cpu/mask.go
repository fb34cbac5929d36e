package cpu

import (
	"math"
	"sort"

	"peft/tensor/internal/backend"
)

// visible is which keys row i sees: the first `always` ones, and [lo, hi), lo >= always. Of unsorted keys it is a superset.
func (t *head) visible(i int) (always, lo, hi int) {
	n := t.k1 - t.k0
	always = min(t.a.Always, n)
	lo, hi = always, n
	if !t.sorted {
		return
	}
	rest := t.a.KPos
	if t.a.Causal || t.a.Window > 0 {
		rest = rest[t.k0+always : t.k1]
	}
	if t.a.Causal {
		pos := t.a.QPos[t.q0+i]
		hi = always + sort.Search(len(rest), func(j int) bool { return rest[j] > pos })
	}
	if t.a.Window > 0 {
		first := int(t.a.QPos[t.q0+i]) - t.a.Window
		lo = always + sort.Search(len(rest), func(j int) bool { return int(rest[j]) > first })
	}
	return
}

// reach is a range of keys within [j0, j1) that holds all keys seen by query rows [i0, i1). It begins at a multiple of tileCols from j0.
func (t *head) reach(i0, i1, j0, j1 int) (lo, hi int) {
	if !t.a.Causal && t.a.Window <= 0 {
		return j0, j1
	}
	lo, hi = j1, j0
	for i := i0; i < i1; i++ {
		always, from, to := t.visible(i)
		if always > 0 {
			lo, hi = j0, max(hi, min(always, j1))
		}
		if from < to {
			lo, hi = min(lo, max(from, j0)), max(hi, min(to, j1))
		}
	}
	if lo < hi {
		lo -= (lo - j0) % t.k.tileCols
	}
	return lo, hi
}

// score turns row, the products of query row i with the keys from j0 on, into scores, −Inf at keys that are not seen; all keys that are seen lie in the range
// that it returns, outside of which row has arbitrary content. Where there is a cap, its slope goes to slope if that is not nil.
func (t *head) score(row, slope []float32, i, j0 int) (from, to int) {
	always, lo, hi := t.visible(i)
	clamp := func(j int) int { return min(max(j-j0, 0), len(row)) }
	a, from, to := clamp(always), clamp(lo), clamp(hi)
	to = max(to, from)
	t.bend(row, slope, i, j0)
	if a > 0 {
		if lo >= hi {
			from, to = 0, a
		} else {
			fill(row[a:max(a, from)], float32(math.Inf(-1)))
			from = 0
		}
	}
	if !t.sorted {
		t.hide(row, i, j0)
	}
	return from, to
}

// seen turns row, the products of query row i with the keys from j0 on, into scores, and returns the part of it that is seen and where that begins; the rest is zero.
func (t *head) seen(row, slope []float32, i, j0 int) (part []float32, at int) {
	from, to := t.score(row, slope, i, j0)
	clear(row[:from])
	clear(row[to:])
	return row[from:to], j0 + from
}

// bend applies cap and bias to a row of products.
func (t *head) bend(row, slope []float32, i, j0 int) {
	if c := float32(t.a.Softcap); c > 0 {
		t.k.axpby(row, row, 1/c, 0)
		t.k.unary[backend.Tanh](row, row)
		if slope != nil {
			fill(slope, 1)
			t.k.slope[backend.Tanh](slope, row, slope)
		}
		t.k.axpby(row, row, c, 0)
	}
	if t.a.Bias != nil {
		bias := see(*t.a.Bias)
		for j := range row {
			row[j] += bias.at(t.h, t.bucket(i, j0+j))
		}
	}
}

// bucket is the column of the bias for query row i and key j.
func (t *head) bucket(i, j int) int {
	return int(t.a.Bucket[int(t.a.KPos[t.k0+j])-int(t.a.QPos[t.q0+i])+t.a.BucketZero])
}

// hide makes scores −Inf at keys that row i does not see, key by key.
func (t *head) hide(row []float32, i, j0 int) {
	q := int(t.a.QPos[t.q0+i])
	for j := range row {
		p := int(t.a.KPos[t.k0+j0+j])
		if j0+j >= t.a.Always && (t.a.Causal && p > q || t.a.Window > 0 && p <= q-t.a.Window) {
			row[j] = float32(math.Inf(-1))
		}
	}
}
