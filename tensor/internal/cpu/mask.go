package cpu

import (
	"math"
	"slices"
	"sort"

	"peft/tensor/internal/backend"
)

// A sight is the keys [lo, hi) that a query sees besides the first ones that all see, lo >= Always. Of unsorted keys it is a superset.
type sight struct{ lo, hi int }

// look notes what query rows [i0, i1) see.
func (t *head) look(i0, i1 int) {
	if !t.a.Causal && t.a.Window <= 0 {
		t.sorted = true
		return
	}
	always := min(t.a.Always, t.k1-t.k0)
	rest := t.a.KPos[t.k0+always : t.k1]
	t.sorted = slices.IsSorted(rest)
	t.sights, t.sightsFrom = t.w.sights[:0], i0
	for i := i0; i < i1; i++ {
		t.sights = append(t.sights, t.sight(rest, int(t.a.QPos[t.q0+i]), always))
	}
	t.w.sights = t.sights
}

// sight is what a query at the position sees of the keys after the first ones, at the given positions.
func (t *head) sight(rest []int32, position, always int) sight {
	s := sight{always, always + len(rest)}
	if t.sorted && t.a.Causal {
		s.hi = always + sort.Search(len(rest), func(j int) bool { return int(rest[j]) > position })
	}
	if t.sorted && t.a.Window > 0 {
		s.lo = always + sort.Search(len(rest), func(j int) bool { return int(rest[j]) > position-t.a.Window })
	}
	return s
}

// visible is which keys row i sees: the first `always` ones, and [lo, hi), lo >= always. Of unsorted keys it is a superset.
func (t *head) visible(i int) (always, lo, hi int) {
	n := t.k1 - t.k0
	always = min(t.a.Always, n)
	if t.sights == nil {
		return always, always, n
	}
	s := t.sights[i-t.sightsFrom]
	return always, s.lo, s.hi
}

// reach is a range of keys within [j0, j1) that holds all keys seen by query rows [i0, i1). It begins at a multiple of tileCols from j0.
func (t *head) reach(i0, i1, j0, j1 int) (lo, hi int) {
	if t.sights == nil {
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

// rows does query rows [i0, i1), a strip [from, to) at a time where they see different keys: of keys [lo, hi) it sees none from end on.
func (t *head) rows(i0, i1, lo, hi int, do func(from, to, end int)) {
	t.strips(i0, i1, func(from, to int) {
		if _, end := t.reach(from, to, lo, hi); end > lo {
			do(from, to, end)
		}
	})
}

// keys does keys [lo, hi), a strip [from, to) at a time where queries see different ones: of query rows [i0, i1) none before start sees it.
func (t *head) keys(i0, i1, lo, hi int, do func(from, to, start int)) {
	t.strips(lo, hi, func(from, to int) {
		start := i0
		for start < i1 && !t.sees(start, from, to) {
			start++
		}
		if start < i1 {
			do(from, to, start)
		}
	})
}

// sees reports whether query row i may see any of keys [from, to).
func (t *head) sees(i, from, to int) bool {
	always, lo, hi := t.visible(i)
	return from < always || max(from, lo) < min(to, hi)
}

// strips cuts n0 to n1 into as few strips as tiles have rows for, or not at all where every query sees every key.
func (t *head) strips(n0, n1 int, do func(from, to int)) {
	n := n1 - n0
	strips := blocks(n, t.k.tileRows)
	if t.sights == nil {
		strips = min(1, n)
	}
	for s := range strips {
		do(n0+n*s/strips, n0+n*(s+1)/strips)
	}
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
