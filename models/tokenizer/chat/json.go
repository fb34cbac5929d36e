package chat

import (
	"fmt"
	"strings"
)

// toJSON writes a value as Python's json.dumps does with ensure_ascii=False: spaces behind commas and colons, or an entry a line, indented.
func toJSON(v any, indent int) string {
	if indent < 0 || indent > 16 {
		fail("found an indentation by %d, expected 0 to 16", indent)
	}
	w := &jsonWriter{indent: indent}
	w.value(v)
	return w.out.String()
}

type jsonWriter struct {
	walk
	indent int
}

func (w *jsonWriter) value(v any) {
	w.enter()
	defer w.leave()
	switch v := v.(type) {
	case nil:
		w.out.WriteString("null")
	case bool:
		fmt.Fprint(&w.out, v)
	case int, float64:
		w.out.WriteString(scalar(v))
	case string:
		w.text(v)
	case []any:
		w.enclosed("[", "]", len(v), func(i int) { w.value(v[i]) })
	case *object:
		if v.named {
			fail("found %s, which has no form in JSON", kind(v))
		}
		w.enclosed("{", "}", len(v.keys), func(i int) {
			w.text(v.keys[i])
			w.out.WriteString(": ")
			w.value(v.items[v.keys[i]])
		})
	default:
		fail("found %s, which has no form in JSON", kind(v))
	}
}

// enclosed writes n entries between brackets.
func (w *jsonWriter) enclosed(open, shut string, n int, entry func(i int)) {
	w.out.WriteString(open)
	for i := range n {
		switch {
		case i > 0 && w.indent == 0:
			w.out.WriteString(", ")
		case i > 0:
			w.out.WriteString(",")
		}
		w.newLine(w.depth)
		entry(i)
	}
	if n > 0 {
		w.newLine(w.depth - 1)
	}
	w.out.WriteString(shut)
}

func (w *jsonWriter) newLine(depth int) {
	if w.indent > 0 {
		w.out.WriteString("\n" + strings.Repeat(" ", w.indent*depth))
	}
}

// text writes a string.
func (w *jsonWriter) text(s string) {
	w.out.WriteByte('"')
	for _, c := range s {
		switch i := strings.IndexRune("\"\\\n\r\t\f\b", c); {
		case i >= 0:
			w.out.WriteString(`\` + `"\nrtfb`[i:i+1])
		case c < 0x20:
			fmt.Fprintf(&w.out, `\u%04x`, c)
		default:
			w.out.WriteRune(c)
		}
	}
	w.out.WriteByte('"')
}
