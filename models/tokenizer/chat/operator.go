package chat

import (
	"math"
	"slices"
	"strings"
)

func in(s string, list []string) bool { return slices.Contains(list, s) }

var comparators = map[string]func(a, b any) bool{
	"==": equal,
	"!=": func(a, b any) bool { return !equal(a, b) },
	"<":  func(a, b any) bool { return order(a, b) < 0 },
	">":  func(a, b any) bool { return order(a, b) > 0 },
	"<=": func(a, b any) bool { return order(a, b) <= 0 },
	">=": func(a, b any) bool { return order(a, b) >= 0 },
	"in": func(a, b any) bool { return contains(b, a) },
}

// order compares numbers or strings.
func order(a, b any) int {
	if s, ok := a.(string); ok {
		if t, ok := b.(string); ok {
			return strings.Compare(s, t)
		}
	}
	x, ok := float(a)
	y, both := float(b)
	if !ok || !both {
		fail("found %s and %s, expected two numbers or two strings to compare", kind(a), kind(b))
	}
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// contains says whether v has the element, the key or the part.
func contains(v, part any) bool {
	if s, ok := v.(string); ok {
		sub, ok := part.(string)
		if !ok {
			fail("found %s, expected a string to look for in a string", kind(part))
		}
		return strings.Contains(s, sub)
	}
	return slices.ContainsFunc(elements(v), func(e any) bool { return equal(e, part) })
}

var binary = map[string]func(a, b any) any{
	"+":  add,
	"-":  subtract,
	"~":  func(a, b any) any { return bounded(str(a), str(b)) },
	"*":  func(a, b any) any { return arithmetic("*", a, b) },
	"/":  func(a, b any) any { return arithmetic("/", a, b) },
	"//": func(a, b any) any { return arithmetic("//", a, b) },
	"%":  func(a, b any) any { return arithmetic("%", a, b) },
}

// add adds numbers, and joins strings and lists.
func add(a, b any) any {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return bounded(x, y)
		}
	case []any:
		if y, ok := b.([]any); ok {
			if len(x)+len(y) > maxSteps {
				fail("a list grows beyond %d elements", maxSteps)
			}
			return slices.Concat(x, y)
		}
	}
	return arithmetic("+", a, b)
}

// bounded joins strings that are not too long.
func bounded(a, b string) string {
	if len(a)+len(b) > maxOutput {
		fail("a string grows beyond %d bytes", maxOutput)
	}
	return a + b
}

func subtract(a, b any) any { return arithmetic("-", a, b) }

// arithmetic works on two numbers: on integers, where both are and the result is, else on floats.
func arithmetic(sign string, a, b any) any {
	x, ok := float(a)
	y, both := float(b)
	if !ok || !both {
		fail("found %s %s %s, expected numbers, or for + two strings or two lists", kind(a), sign, kind(b))
	}
	if y == 0 && (sign == "/" || sign == "//" || sign == "%") {
		fail("found a division by zero")
	}
	n, whole := a.(int)
	m, both := b.(int)
	if whole && both && sign != "/" {
		return integers(sign, n, m)
	}
	switch sign {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return x / y
	case "//":
		return math.Floor(x / y)
	default:
		return x - y*math.Floor(x/y)
	}
}

// integers rounds quotients down, as Python does.
func integers(sign string, a, b int) any {
	switch sign {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	quotient, rest := a/b, a%b
	if rest != 0 && (rest < 0) != (b < 0) {
		quotient, rest = quotient-1, rest+b
	}
	if sign == "%" {
		return rest
	}
	return quotient
}

// slice returns v[start:stop:step].
func slice(f *frame, v any, bounds [3]expression) any {
	all := elements(v)
	step := bound(f, bounds[2], 1)
	if step == 0 {
		fail("found a slice in steps of zero")
	}
	first, last := 0, len(all)
	if step < 0 {
		first, last = len(all)-1, -1
	}
	lo, hi := place(f, bounds[0], first, len(all), step), place(f, bounds[1], last, len(all), step)
	out := []any{}
	for i := lo; step > 0 && i < hi || step < 0 && i > hi; i += step {
		f.step()
		out = append(out, all[i])
	}
	if _, ok := v.(string); !ok {
		return out
	}
	var s strings.Builder
	for _, c := range out {
		s.WriteString(c.(string))
	}
	return s.String()
}

// bound returns the value of a bound of a slice.
func bound(f *frame, x expression, otherwise int) int {
	if x == nil {
		return otherwise
	}
	v := x(f)
	n, ok := v.(int)
	if v != nil && !ok {
		fail("found %s in a slice, expected an integer", kind(v))
	}
	if v == nil {
		return otherwise
	}
	return n
}

// place returns a bound as a place in a list of n elements; negative ones count from the end.
func place(f *frame, x expression, otherwise, n, step int) int {
	at := bound(f, x, otherwise)
	if x != nil && at < 0 {
		at += n
	}
	if step < 0 {
		return min(max(at, -1), n-1)
	}
	return min(max(at, 0), n)
}
