package sparsemask

import (
	"fmt"
	"math"

	"peft/peft"
)

// largest is the mask of the n largest scores among all numbers of some parameters together. Of equal ones at the end the earlier are taken, in the order of the parameters.
func largest(params []*peft.Frozen, score scorer, n int) (Mask, error) {
	t, err := threshold(params, score, n)
	if err != nil {
		return nil, err
	}
	m := Mask{}
	for _, f := range params {
		v, err := score(f)
		if err != nil {
			return nil, err
		}
		if places := t.take(v); places != nil {
			m[f.Name] = places
		}
	}
	return m, nil
}

// A limit is the smallest score that is taken, as bits, and how many that are equal to it.
type limit struct {
	bits  uint64
	equal int
}

// take is the places of the scores that are taken.
func (t *limit) take(v []float64) (places []int32) {
	for i, x := range v {
		b := bits(x)
		if b < t.bits || b == t.bits && t.equal == 0 {
			continue
		}
		if b == t.bits {
			t.equal--
		}
		places = append(places, int32(i))
	}
	return places
}

// bits are those of a number that is not negative; they are in the order of the numbers.
func bits(x float64) uint64 { return math.Float64bits(x + 0) }

// digit is the bits that are looked at in one of the rounds of threshold.
const digit = 16

// threshold finds the n-th largest score by its bits, sixteen at a time: each round counts the scores that agree with what is known so far by their next digit. No copy of the scores is made.
func threshold(params []*peft.Frozen, score scorer, n int) (t *limit, err error) {
	t = &limit{equal: n}
	for shift := 64 - digit; shift >= 0; shift -= digit {
		count := make([]int, 1<<digit)
		for _, f := range params {
			v, err := score(f)
			if err != nil {
				return nil, err
			}
			if err := t.count(count, f, v, shift); err != nil {
				return nil, err
			}
		}
		if !t.descend(count, shift) {
			return nil, fmt.Errorf("sparsemask: there are not %d numbers to choose from", n)
		}
	}
	return t, nil
}

// count counts the scores whose higher digits are those of the limit by their digit at shift.
func (t *limit) count(count []int, f *peft.Frozen, v []float64, shift int) error {
	for i, x := range v {
		if !(x >= 0 && x <= math.MaxFloat64) {
			return fmt.Errorf("sparsemask: the score of entry %d of %s is %v, expected a finite number, 0 or more", i, f.Name, x)
		}
		if b := bits(x); (b^t.bits)>>shift>>digit == 0 {
			count[b>>shift&(1<<digit-1)]++
		}
	}
	return nil
}

// descend fixes the digit at shift: the one in whose count the score stands that is looked for.
func (t *limit) descend(count []int, shift int) bool {
	for d := len(count) - 1; d >= 0; d-- {
		if t.equal <= count[d] {
			t.bits |= uint64(d) << shift
			return true
		}
		t.equal -= count[d]
	}
	return false
}
