package lora

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// A vote combines matrices entry by entry: some entries are dropped, signs may be elected, and the weighted sum is taken of what is left.
type vote struct {
	drop  func(v []float64) // sets entries to zero; nil: none
	elect bool              // only entries with the majority's sign count, and their mean is taken
	often bool              // the majority is one of entries, not of their sum
}

// vote is that of a way to combine, and whether it is on whole updates rather than on factors.
func (c Weighted) vote() (v vote, whole bool, err error) {
	name, whole := strings.CutSuffix(string(c.How), "_svd")
	density := c.Density
	if density == 0 {
		density = 0.5
	}
	v.often = c.Sign == Frequency
	switch How(name) {
	case Linear:
	case Prune, TIES:
		v.drop = func(x []float64) { keepLargest(x, int(density*float64(len(x)))) }
	case DARELinear, DARETIES:
		rng := c.random()
		v.drop = func(x []float64) { keepSome(x, density, rng) }
	default:
		return v, false, fmt.Errorf("no way to combine is called %q; there are: cat, svd, and, also followed by _svd, linear, magnitude_prune, ties, dare_linear, dare_ties", c.How)
	}
	v.elect = strings.HasSuffix(name, "ties")
	return v, whole, nil
}

// apart combines the factors of updates, each kind by itself.
func (v vote) apart(updates []update) (lowRank, error) {
	var as, bs []*mat.Dense
	for _, u := range updates {
		if u.rank() != updates[0].rank() {
			return lowRank{}, fmt.Errorf("ranks are %d and %d, but factors can be combined only where they are the same: use %q or %q", updates[0].rank(), u.rank(), Cat, SVD)
		}
		as, bs = append(as, u.a), append(bs, u.b)
	}
	signed, plain := roots(updates)
	return lowRank{v.of(as, signed), v.of(bs, plain)}, nil
}

// whole combines the updates themselves.
func (v vote) whole(updates []update) *mat.Dense {
	var all []*mat.Dense
	var weights []float64
	for _, u := range updates {
		var w mat.Dense
		w.Mul(u.b, u.a)
		w.Scale(u.scale, &w)
		all, weights = append(all, &w), append(weights, u.weight)
	}
	return v.of(all, weights)
}

// of combines matrices of one shape.
func (v vote) of(all []*mat.Dense, weights []float64) *mat.Dense {
	rows, cols := all[0].Dims()
	entries := make([][]float64, len(all))
	for i, m := range all {
		entries[i] = dense(m)
		if v.drop != nil {
			v.drop(entries[i])
		}
	}
	sum := mat.NewDense(rows, cols, nil)
	for j := range sum.RawMatrix().Data {
		sum.RawMatrix().Data[j] = v.entry(entries, weights, j)
	}
	return sum
}

// entry combines the j-th entries.
func (v vote) entry(all [][]float64, weights []float64, j int) (sum float64) {
	sign, n := 1.0, 0
	if v.elect && v.balance(all, j) < 0 {
		sign = -1
	}
	for i, x := range all {
		if !v.elect || x[j]*sign > 0 {
			sum += weights[i] * x[j]
			n++
		}
	}
	if v.elect {
		sum /= float64(max(n, 1))
	}
	return sum
}

// balance is negative where the majority of the j-th entries is.
func (v vote) balance(all [][]float64, j int) (sum float64) {
	for _, x := range all {
		switch {
		case !v.often:
			sum += x[j]
		case x[j] != 0:
			sum += math.Copysign(1, x[j])
		}
	}
	return sum
}

// keepLargest sets all but the k entries of largest magnitude to zero; of equal ones the first are kept.
func keepLargest(v []float64, k int) {
	if k >= len(v) {
		return
	}
	sizes := make([]float64, len(v))
	for i, x := range v {
		sizes[i] = -math.Abs(x)
	}
	slices.Sort(sizes)
	least := -sizes[k]                             // the largest that goes
	equal, _ := slices.BinarySearch(sizes, -least) // how many are larger
	equal = k - equal                              // how many of its size stay
	for i, x := range v {
		switch size := math.Abs(x); {
		case size > least:
		case size == least && equal > 0:
			equal--
		default:
			v[i] = 0
		}
	}
}

// keepSome sets each entry to zero with probability 1 − density, and divides the others by density: the expectation stays.
func keepSome(v []float64, density float64, rng *rand.Rand) {
	for i := range v {
		if rng.Float64() < density {
			v[i] /= density
		} else {
			v[i] = 0
		}
	}
}
