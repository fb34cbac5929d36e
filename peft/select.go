package peft

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// A Selection chooses sites of a model, and can be printed. [Targets] chooses as Hugging Face PEFT does; the predicates of this file are for Go programs.
type Selection interface {
	Select(s *Sites) ([]Site, error)
	String() string
}

// A Predicate is a Selection that looks at one site at a time.
type Predicate struct {
	text  string
	match func(Site) bool
}

// String is how the predicate would be written in Go.
func (w Predicate) String() string { return w.text }

// Match reports whether the predicate chooses a site.
func (w Predicate) Match(s Site) bool { return w.match(s) }

// Select lists the sites that match; that none does is an error, which lists the sites there are.
func (w Predicate) Select(s *Sites) (chosen []Site, err error) {
	for x := range s.All() {
		if w.match(x) {
			chosen = append(chosen, x)
		}
	}
	if chosen == nil {
		return nil, fmt.Errorf("peft: %s matches no site; there are: %s", w.text, s.outline())
	}
	return chosen, nil
}

// Named chooses sites whose name matches one of the patterns, in which * stands for any run of characters, dots too: Named("*.query", "*.value").
func Named(patterns ...string) Predicate {
	var alternatives []string
	for _, p := range patterns {
		alternatives = append(alternatives, strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, `.*`))
	}
	re := regexp.MustCompile("^(?:" + strings.Join(alternatives, "|") + ")$")
	return Predicate{call("Named", patterns), func(s Site) bool { return re.MatchString(s.Name()) }}
}

// Match chooses sites in whose name the expression matches.
func Match(re *regexp.Regexp) Predicate {
	return Predicate{fmt.Sprintf("Match(%q)", re), func(s Site) bool { return re.MatchString(s.Name()) }}
}

// OfType chooses sites of one type: OfType[*Linear]().
func OfType[T Site]() Predicate {
	return Predicate{"OfType[" + reflect.TypeFor[T]().String() + "]()", func(s Site) bool { _, ok := s.(T); return ok }}
}

// WithRole chooses linear maps and sublayers by what they do in their block.
func WithRole(roles ...Role) Predicate {
	return Predicate{call("WithRole", roles), func(s Site) bool {
		for _, r := range roles {
			if roleOf(s) == r {
				return true
			}
		}
		return false
	}}
}

func roleOf(s Site) Role {
	switch x := s.(type) {
	case *Linear:
		return x.Role
	case *Sublayer:
		return x.Role
	case *Embedding:
		return x.Role
	}
	return ""
}

// All chooses what all predicates choose.
func All(ws ...Predicate) Predicate {
	return Predicate{call("All", ws), func(s Site) bool {
		for _, w := range ws {
			if !w.match(s) {
				return false
			}
		}
		return true
	}}
}

// Any chooses what some predicate chooses.
func Any(ws ...Predicate) Predicate {
	return Predicate{call("Any", ws), func(s Site) bool {
		for _, w := range ws {
			if w.match(s) {
				return true
			}
		}
		return false
	}}
}

// Not chooses what the predicate does not choose.
func Not(w Predicate) Predicate {
	return Predicate{"Not(" + w.text + ")", func(s Site) bool { return !w.match(s) }}
}

func call[T any](name string, args []T) string {
	var list []string
	for _, a := range args {
		list = append(list, fmt.Sprintf("%v", a))
	}
	return name + "(" + strings.Join(list, ", ") + ")"
}

var digits = regexp.MustCompile(`\b\d+\b`)

// outline lists the linear sites and embeddings, layers collapsed, cut at thirty names.
func (s *Sites) outline() string {
	var names []string
	seen := map[string]bool{}
	for x := range s.All() {
		n := digits.ReplaceAllString(x.Name(), "N")
		if len(x.Frozen()) > 0 && !seen[n] {
			seen[n] = true
			names = append(names, n)
		}
	}
	if len(names) > 30 {
		names = append(names[:30], "…")
	}
	return strings.Join(names, ", ")
}
