package tokenizer

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// parseScore reads a number in the form of JSON as the reference library does: its digits as an integer, divided by a power of ten. That is not always the
// float nearest to the number, but where two ways to write a text are equally likely, the last bit of the scores decides.
func parseScore(s string) (score float64, ok bool) {
	rest, negative := strings.CutPrefix(s, "-")
	rest, power, scaled := strings.Cut(strings.ReplaceAll(rest, "E", "e"), "e")
	exponent := 0
	if scaled {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil {
			return 0, false
		}
	}
	whole, fraction, _ := strings.Cut(rest, ".")
	if !digits(whole, math.MaxInt) || !digits(fraction, math.MaxInt) || whole == "" {
		return 0, false
	}
	value, used := significand(0, whole)
	exponent += len(whole) - used
	if used == len(whole) {
		value, used = significand(value, fraction)
		exponent -= used
	}
	score = scale(float64(value), exponent)
	if negative {
		score = -score
	}
	return score, !math.IsInf(score, 0)
}

// significand appends digits to a number as long as it fits into 64 bits, and returns how many it took.
func significand(value uint64, digits string) (out uint64, used int) {
	for i := range len(digits) {
		high, low := bits.Mul64(value, 10)
		sum, carry := bits.Add64(low, uint64(digits[i]-'0'), 0)
		if high+carry != 0 {
			return value, i
		}
		value = sum
	}
	return value, len(digits)
}

// scale returns v·10ᵉ.
func scale(v float64, e int) float64 {
	const most = 308 // the greatest power of ten in a float
	for e < -most && v != 0 {
		v /= 1e308
		e += most
	}
	switch {
	case v == 0:
		return 0
	case e < 0:
		return v / math.Pow10(-e)
	default:
		return v * math.Pow10(e)
	}
}
