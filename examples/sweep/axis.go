package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// An axis is one hyper-parameter with what is tried of it: some values, or a range.
type axis struct {
	name, field string // as the table calls it, and in the method's configuration
	values      []value
	lo, hi      float64 // a range where there are no values
}

// rate is the field of the learning rate, which is no part of the method's configuration.
const rate = "lr"

// A value of a hyper-parameter.
type value struct {
	text string
	json any
}

// number is a value that came from a range, with three digits.
func number(x float64) value {
	text := strconv.FormatFloat(x, 'g', 3, 64)
	x, _ = strconv.ParseFloat(text, 64)
	return value{text, x}
}

// parseAxis reads values, or a range of positive numbers.
func parseAxis(name, field, text string) (a axis, err error) {
	a = axis{name: name, field: field}
	if lo, hi, ok := strings.Cut(text, ":"); ok {
		return a, a.span(lo, hi)
	}
	for _, word := range strings.Split(text, ",") {
		v := value{word, words(field, word)}
		if x, ok := v.json.(float64); word == "" || field == rate && !(ok && x > 0) {
			return a, fmt.Errorf("-%s: found %q in %q, expected values as 2,4,8 or a range as 1e-4:1e-2, of positive numbers", name, word, text)
		}
		a.values = append(a.values, v)
	}
	return a, nil
}

// span makes the axis a range.
func (a *axis) span(lo, hi string) (err error) {
	if a.lo, err = strconv.ParseFloat(lo, 64); err == nil {
		a.hi, err = strconv.ParseFloat(hi, 64)
	}
	if err != nil || !(0 < a.lo && a.lo < a.hi) || math.IsInf(a.hi, 0) {
		return fmt.Errorf("-%s: found %q, expected a range of positive numbers as 1e-4:1e-2", a.name, lo+":"+hi)
	}
	return nil
}

// words is a value as JSON has it: a number, true or false, else a word, or a list of words with + between them. Modules are always a list, but for "all-linear".
func words(field, text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) == nil {
		return v
	}
	if strings.Contains(text, "+") || field == "target_modules" && text != "all-linear" {
		return strings.Split(text, "+")
	}
	return text
}

// settings are n points of the axes, a value of each. All combinations of values are taken equally often, and no oftener than once where there is no range; ranges are cut into n parts of
// equal length in their logarithm, and in each part a number is drawn.
func settings(axes []axis, n int, rng *rand.Rand) (points [][]value) {
	grid := combinations(axes)
	rng.Shuffle(len(grid), func(i, j int) { grid[i], grid[j] = grid[j], grid[i] })
	if !ranged(axes) {
		n = min(n, len(grid))
	}
	for i := range n {
		points = append(points, append([]value{}, grid[i%len(grid)]...))
	}
	for j, a := range axes {
		if a.values != nil {
			continue
		}
		for i, part := range rng.Perm(n) {
			points[i][j] = number(a.at((float64(part) + rng.Float64()) / float64(n)))
		}
	}
	return points
}

// at is the number of a range at a share of its length.
func (a axis) at(share float64) float64 { return a.lo * math.Pow(a.hi/a.lo, share) }

func ranged(axes []axis) bool {
	for _, a := range axes {
		if a.values == nil {
			return true
		}
	}
	return false
}

// combinations are those of all values; ranges are left open.
func combinations(axes []axis) [][]value {
	all := [][]value{{}}
	for _, a := range axes {
		values := a.values
		if values == nil {
			values = []value{{}}
		}
		var longer [][]value
		for _, point := range all {
			for _, v := range values {
				longer = append(longer, append(point[:len(point):len(point)], v))
			}
		}
		all = longer
	}
	return all
}
