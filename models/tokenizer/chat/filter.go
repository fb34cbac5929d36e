package chat

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// filters are what may follow a |.
var filters = map[string]func(f *frame, v any, a arguments) any{
	"trim":       func(_ *frame, v any, a arguments) any { return strip(str(v), a, true, true) },
	"tojson":     func(_ *frame, v any, a arguments) any { return toJSON(v, a.integer(0, "indent", 0)) },
	"length":     func(_ *frame, v any, _ arguments) any { return length(v) },
	"count":      func(_ *frame, v any, _ arguments) any { return length(v) },
	"upper":      func(_ *frame, v any, _ arguments) any { return strings.ToUpper(str(v)) },
	"lower":      func(_ *frame, v any, _ arguments) any { return strings.ToLower(str(v)) },
	"capitalize": func(_ *frame, v any, _ arguments) any { return capitalized(str(v)) },
	"title":      func(_ *frame, v any, _ arguments) any { return words(str(v)) },
	"string":     func(_ *frame, v any, _ arguments) any { return str(v) },
	"safe":       func(_ *frame, v any, _ arguments) any { return v },
	"list":       func(_ *frame, v any, _ arguments) any { return slices.Clone(elements(v)) },
	"first":      func(_ *frame, v any, _ arguments) any { return item(v, 0) },
	"last":       func(_ *frame, v any, _ arguments) any { return item(v, -1) },
	"reverse":    func(_ *frame, v any, _ arguments) any { return reversed(v) },
	"items":      func(_ *frame, v any, _ arguments) any { return itemsOf(v) },
	"replace":    func(_ *frame, v any, a arguments) any { return replaced(str(v), a) },
	"join":       func(_ *frame, v any, a arguments) any { return joinedBy(elements(v), a.text(0, "d", "")) },
	"int":        func(_ *frame, v any, a arguments) any { return integer(v, a) },
	"default":    otherwise,
	"d":          otherwise,
	"selectattr": func(f *frame, v any, a arguments) any { return selected(f, v, a, true) },
	"rejectattr": func(f *frame, v any, a arguments) any { return selected(f, v, a, false) },
	"indent":     func(_ *frame, v any, a arguments) any { return indented(str(v), a) },
}

// filterNamed returns a filter.
func filterNamed(name string) func(f *frame, v any, a arguments) any {
	if name == "map" {
		return mapped
	}
	apply, ok := filters[name]
	if !ok {
		fail("found the filter %q, which is not known", name)
	}
	return apply
}

// strip takes characters, space if none are given, off the ends.
func strip(s string, a arguments, left, right bool) string {
	chars := a.text(0, "chars", "")
	is := func(c rune) bool { return strings.ContainsRune(chars, c) }
	if chars == "" {
		is = func(c rune) bool { return unicode.IsSpace(c) || 0x1c <= c && c <= 0x1f }
	}
	if left {
		s = strings.TrimLeftFunc(s, is)
	}
	if right {
		s = strings.TrimRightFunc(s, is)
	}
	return s
}

func capitalized(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + strings.ToLower(s[n:])
}

// words capitalizes each word; unlike Python's title it takes what follows an apostrophe for a part of the word.
func words(s string) string {
	var out strings.Builder
	for s != "" {
		n := strings.IndexAny(s, "- \t\r\n({[<")
		switch {
		case n < 0:
			n = len(s)
		case n == 0:
			n = 1
		}
		out.WriteString(capitalized(s[:n]))
		s = s[n:]
	}
	return out.String()
}

// titled writes the first letter of each word large, the others small.
func titled(s string) string {
	before := ' '
	return strings.Map(func(c rune) rune {
		inside := unicode.IsLetter(before)
		before = c
		if inside {
			return unicode.ToLower(c)
		}
		return unicode.ToTitle(c)
	}, s)
}

func reversed(v any) any {
	out := slices.Clone(elements(v))
	slices.Reverse(out)
	if _, ok := v.(string); ok {
		return joinedBy(out, "")
	}
	return out
}

func itemsOf(v any) any {
	switch o := v.(type) {
	case *object:
		return pairs(o)
	case undefined:
		return []any{}
	}
	fail("found %s, expected an object", kind(v))
	return nil
}

// replaced replaces one string by another, count times if that is given.
func replaced(s string, a arguments) string {
	before, after, count := a.text(0, "old", ""), a.text(1, "new", ""), a.integer(2, "count", -1)
	if n := strings.Count(s, before); float64(n)*float64(len(after)) > maxOutput {
		fail("a string grows beyond %d bytes", maxOutput)
	}
	return strings.Replace(s, before, after, count)
}

func joinedBy(list []any, separator string) string {
	out, size := make([]string, len(list)), 0
	for i, v := range list {
		out[i] = str(v)
		if size += len(out[i]) + len(separator); size > maxOutput {
			fail("a string grows beyond %d bytes", maxOutput)
		}
	}
	return strings.Join(out, separator)
}

func integer(v any, a arguments) any {
	if x, ok := float(v); ok {
		return int(x)
	}
	n, err := strconv.Atoi(strings.TrimSpace(str(v)))
	if err != nil {
		return a.integer(0, "default", 0)
	}
	return n
}

// otherwise takes another value for what is not defined or, if asked, not true.
func otherwise(_ *frame, v any, a arguments) any {
	_, missing := v.(undefined)
	strict, _ := a.get(1, "boolean")
	if !missing && (!truth(strict) || truth(v)) {
		return v
	}
	if instead, ok := a.get(0, "default_value"); ok {
		return instead
	}
	return ""
}

// selected returns the elements of which an attribute passes a test, or is true if no test is named.
func selected(f *frame, v any, a arguments, keep bool) any {
	name, test := a.text(0, "attribute", ""), a.text(1, "test", "")
	check, ok := tests[test]
	if test != "" && !ok {
		fail("found the test %q, which is not known", test)
	}
	out := []any{}
	for _, e := range elements(v) {
		f.step()
		x := attribute(e, name)
		passes := truth(x)
		if ok {
			passes = check(x, arguments{list: a.list[min(2, len(a.list)):]})
		}
		if passes == keep {
			out = append(out, e)
		}
	}
	return out
}

// mapped returns an attribute of each element, or what a filter makes of it.
func mapped(f *frame, v any, a arguments) any {
	name, byAttribute := a.get(len(a.list), "attribute")
	apply := func(_ *frame, e any, _ arguments) any { return item(e, name) }
	var rest []any
	if !byAttribute {
		apply = filterNamed(a.text(0, "filter", ""))
		rest = a.list[min(1, len(a.list)):]
	}
	out := []any{}
	for _, e := range elements(v) {
		f.step()
		out = append(out, apply(f, e, arguments{list: rest}))
	}
	return out
}

// indented puts spaces in front of each line but the first, and of blank ones.
func indented(s string, a arguments) string {
	width := a.integer(0, "width", 4)
	first, _ := a.get(1, "first")
	lines := strings.Split(s, "\n")
	if width < 0 || float64(width)*float64(len(lines)) > maxOutput {
		fail("found an indentation by %d", width)
	}
	for i, line := range lines {
		if line != "" && (i > 0 || truth(first)) {
			lines[i] = strings.Repeat(" ", width) + line
		}
	}
	return strings.Join(lines, "\n")
}
