package peft

import (
	"fmt"
	"iter"
	"strings"
)

// Combine is several methods as one: their patches are one patch, with the parameters of all. Methods that cannot live in one patch are refused when it is attached.
func Combine(methods ...Method) Method { return combined(methods) }

type combined []Method

func (c combined) Attach(s *Sites, rng Rand) (*Patch, error) {
	all := NewPatch(s)
	for _, m := range c {
		q, err := attach(m, s, rng)
		if err != nil {
			return nil, err
		}
		if err := all.absorb(q); err != nil {
			return nil, fmt.Errorf("peft: combine: %w", err)
		}
	}
	return all, nil
}

// parts are the methods that are combined.
func (c combined) parts() []Method { return c }

// A Recipe is a method that is short for one made of others, which is the method of its patches.
type Recipe interface {
	Method
	Recipe() Method
}

// attach makes a patch that knows its method.
func attach(m Method, s *Sites, rng Rand) (*Patch, error) {
	if r, ok := m.(Recipe); ok {
		m = r.Recipe()
	}
	q, err := m.Attach(s, rng)
	if q != nil {
		q.method = m
	}
	return q, err
}

// An origin is where a patch has a parameter from: another patch that it took over.
type origin struct {
	q *Patch
	x *Param
}

// absorb takes over everything another patch of the same model holds. Both training one parameter whole is one training of it.
func (q *Patch) absorb(o *Patch) error {
	for x := range o.Params() {
		have := q.byName[x.Name]
		if have == nil || wholeIn(q, o, x.Name) {
			continue
		}
		first := q.origins[have].q.method
		if strings.Contains(x.Name, "/") {
			return fmt.Errorf("%T and %T both have a parameter %s, which nothing would tell apart: let them act on different sites", first, o.method, x.Name)
		}
		return fmt.Errorf("%T and %T both train %s, and not both as a whole", first, o.method, x.Name)
	}
	merge(q.deltas, o.deltas)
	merge(q.rows, o.rows)
	q.substitute(o)
	q.takeUntied(o)
	for x := range o.Params() {
		if q.byName[x.Name] == nil {
			q.own(x)
			q.origins[x] = origin{o, x}
			q.transposed[x], q.beside[x.Name] = o.transposed[x], o.beside[x.Name]
		}
	}
	return nil
}

// substitute takes over the stand-ins of another patch, but for what both train whole. Trained values come before what is computed of them.
func (q *Patch) substitute(o *Patch) {
	wholes := q.wholes()
	for f, vs := range o.standIns {
		for _, v := range vs {
			_, whole := v.(Whole)
			_, some := v.(Entries)
			switch {
			case whole && wholes[f.Name]:
			case whole || some:
				q.standIns[f] = append([]StandIn{v}, q.standIns[f]...)
			default:
				q.standIns[f] = append(q.standIns[f], v)
			}
		}
	}
}

// wholeIn reports whether both patches train the parameter of that name as a whole tensor.
func wholeIn(a, b *Patch, name string) bool {
	return a.wholes()[name] && b.wholes()[name]
}

func (q *Patch) wholes() map[string]bool {
	names := map[string]bool{}
	for f, vs := range q.standIns {
		for _, v := range vs {
			if _, ok := v.(Whole); ok {
				names[f.Name] = true
			}
		}
	}
	return names
}

func merge[K comparable, V any](dst, src map[K][]V) {
	for k, v := range src {
		dst[k] = append(dst[k], v...)
	}
}

// Methods yields the methods that a method is made of: itself, what it is combined of, and what a method says that it wraps by a method Unwrap() Method.
func Methods(m Method) iter.Seq[Method] {
	return func(yield func(Method) bool) { methods(m, yield) }
}

func methods(m Method, yield func(Method) bool) bool {
	switch m := m.(type) {
	case interface{ parts() []Method }:
		for _, part := range m.parts() {
			if !methods(part, yield) {
				return false
			}
		}
		return true
	case interface{ Unwrap() Method }:
		if !methods(m.Unwrap(), yield) {
			return false
		}
	}
	return yield(m)
}
