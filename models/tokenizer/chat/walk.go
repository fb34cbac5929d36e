package chat

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A walk goes through a value and all that lies in it. Lists may lie in themselves many times over, so its steps are counted.
type walk struct {
	steps, depth int
	out          strings.Builder
}

// enter goes one level deeper; the caller does leave.
func (w *walk) enter() {
	w.depth++
	w.steps++
	if w.depth > maxNesting {
		fail("found values within values deeper than %d", maxNesting)
	}
	if w.steps > maxSteps || w.out.Len() > maxOutput {
		fail("found a value of more than %d parts or %d bytes", maxSteps, maxOutput)
	}
}

func (w *walk) leave() { w.depth-- }

// equal compares values, numbers by value and namespaces by which they are.
func equal(a, b any) bool { return new(walk).equal(a, b) }

func (w *walk) equal(a, b any) bool {
	w.enter()
	defer w.leave()
	if x, ok := float(a); ok {
		y, ok := float(b)
		return ok && x == y
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		s, ok := b.(string)
		return ok && a == s
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, w.equal)
	case *object:
		b, ok := b.(*object)
		return ok && (a == b || !a.named && !b.named && maps.EqualFunc(a.items, b.items, w.equal))
	case undefined:
		return is[undefined](b)
	}
	return false
}

// repr writes a value as Python's repr does.
func repr(v any) string {
	w := new(walk)
	w.repr(v)
	return w.out.String()
}

func (w *walk) repr(v any) {
	w.enter()
	defer w.leave()
	switch v := v.(type) {
	case []any:
		w.list("[", "]", len(v), func(i int) { w.repr(v[i]) })
		return
	case *object:
		if !v.named {
			w.list("{", "}", len(v.keys), func(i int) {
				w.out.WriteString(quoted(v.keys[i]) + ": ")
				w.repr(v.items[v.keys[i]])
			})
			return
		}
	}
	w.out.WriteString(scalar(v))
}

func (w *walk) list(open, shut string, n int, entry func(i int)) {
	w.out.WriteString(open)
	for i := range n {
		if i > 0 {
			w.out.WriteString(", ")
		}
		entry(i)
	}
	w.out.WriteString(shut)
}

// scalar writes a value in which no others lie.
func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int:
		return strconv.Itoa(v)
	case float64:
		return floatString(v)
	case string:
		return quoted(v)
	}
	return fmt.Sprintf("<%s>", kind(v))
}

// quoted writes a string between the quotes that it does not hold.
func quoted(s string) string {
	q := strconv.Quote(s)
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return q
	}
	inner := strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
	return "'" + strings.ReplaceAll(inner, "'", `\'`) + "'"
}

// floatString writes the shortest number that reads back the same, and always as a float.
func floatString(x float64) string {
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
