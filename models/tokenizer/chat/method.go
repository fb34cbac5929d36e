package chat

import "strings"

// method returns a method of a string or an object.
func method(v any, name string) (function, bool) {
	switch v := v.(type) {
	case string:
		if m, ok := stringMethods[name]; ok {
			return func(_ *frame, a arguments) any { return m(v, a) }, true
		}
	case *object:
		if m, ok := objectMethods[name]; ok {
			return func(_ *frame, a arguments) any { return m(v, a) }, true
		}
	}
	return nil, false
}

var stringMethods = map[string]func(s string, a arguments) any{
	"strip":  func(s string, a arguments) any { return strip(s, a, true, true) },
	"lstrip": func(s string, a arguments) any { return strip(s, a, true, false) },
	"rstrip": func(s string, a arguments) any { return strip(s, a, false, true) },
	"split":  func(s string, a arguments) any { return split(s, a) },
	"startswith": func(s string, a arguments) any {
		return anyOf(a, func(part string) bool { return strings.HasPrefix(s, part) })
	},
	"endswith": func(s string, a arguments) any {
		return anyOf(a, func(part string) bool { return strings.HasSuffix(s, part) })
	},
	"replace":    func(s string, a arguments) any { return replaced(s, a) },
	"upper":      func(s string, _ arguments) any { return strings.ToUpper(s) },
	"lower":      func(s string, _ arguments) any { return strings.ToLower(s) },
	"title":      func(s string, _ arguments) any { return titled(s) },
	"capitalize": func(s string, _ arguments) any { return capitalized(s) },
	"find":       func(s string, a arguments) any { return find(s, a.text(0, "sub", "")) },
	"count":      func(s string, a arguments) any { return strings.Count(s, a.text(0, "sub", "")) },
	"join": func(s string, a arguments) any {
		all, _ := a.get(0, "iterable")
		return joinedBy(elements(all), s)
	},
}

var objectMethods = map[string]func(o *object, a arguments) any{
	"items":  func(o *object, _ arguments) any { return pairs(o) },
	"keys":   func(o *object, _ arguments) any { return keys(o) },
	"values": func(o *object, _ arguments) any { return values(o) },
	"get":    lookUp,
}

// split cuts a string at a separator, or at runs of space, as often as is asked.
func split(s string, a arguments) any {
	separator, most := a.text(0, "sep", ""), a.integer(1, "maxsplit", -1)
	var parts []string
	switch {
	case separator == "" && most < 0:
		parts = strings.Fields(s)
	case separator == "":
		fail("found a split by space with a maximum, which is not supported")
	case most < 0:
		parts = strings.Split(s, separator)
	default:
		parts = strings.SplitN(s, separator, most+1)
	}
	out := make([]any, len(parts))
	for i, part := range parts {
		out[i] = part
	}
	return out
}

// anyOf says whether the argument, a string, or one of several in a tuple passes.
func anyOf(a arguments, passes func(string) bool) bool {
	v, _ := a.get(0, "prefix")
	if list, ok := v.([]any); ok {
		for _, e := range list {
			if s, ok := e.(string); ok && passes(s) {
				return true
			}
		}
		return false
	}
	return passes(a.text(0, "prefix", ""))
}

// find returns the place of a part in characters, -1 if it is not there.
func find(s, part string) int {
	i := strings.Index(s, part)
	if i < 0 {
		return -1
	}
	return length(s[:i])
}

func values(o *object) []any {
	out := make([]any, len(o.keys))
	for i, key := range o.keys {
		out[i] = o.items[key]
	}
	return out
}

// lookUp returns the value of a key, or the second argument.
func lookUp(o *object, a arguments) any {
	if v, ok := o.items[a.text(0, "key", "")]; ok {
		return v
	}
	v, _ := a.get(1, "default")
	return v
}
