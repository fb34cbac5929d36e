package chat

// Arguments are what a function, a filter or a test is called with.
type arguments struct {
	list  []any
	named *object // in the order of the call; nil if there are none
}

// get returns an argument by its place or its name; ok is false if it is not there.
func (a arguments) get(i int, name string) (v any, ok bool) {
	if i < len(a.list) {
		return a.list[i], true
	}
	if a.named != nil {
		v, ok = a.named.items[name]
	}
	return v, ok
}

// text returns an argument that has to be a string.
func (a arguments) text(i int, name, otherwise string) string {
	v, ok := a.get(i, name)
	if !ok || v == nil {
		return otherwise
	}
	s, ok := v.(string)
	if !ok {
		fail("found %s as the argument %s, expected a string", kind(v), name)
	}
	return s
}

// integer returns an argument that has to be an integer.
func (a arguments) integer(i int, name string, otherwise int) int {
	v, ok := a.get(i, name)
	if !ok || v == nil {
		return otherwise
	}
	n, ok := v.(int)
	if !ok {
		fail("found %s as the argument %s, expected an integer", kind(v), name)
	}
	return n
}

// optionalArguments reads (a, b, name=c) if it is next.
func (r *reader) optionalArguments() func(f *frame) arguments {
	var list, named []expression
	var names []string
	if r.take("(") {
		for !r.take(")") {
			if r.peek().kind == 'n' && len(r.words) > 1 && r.words[1].text == "=" {
				names = append(names, r.name())
				r.want("=")
				named = append(named, r.expression())
			} else {
				list = append(list, r.expression())
			}
			if !r.is(")") {
				r.want(",")
			}
		}
	}
	return func(f *frame) arguments {
		a := arguments{evaluate(f, list), newObject()}
		for i, x := range named {
			a.named.set(names[i], x(f))
		}
		return a
	}
}

// call calls a function.
func call(f *frame, v any, a arguments) any {
	f.step()
	function, ok := v.(function)
	if !ok {
		fail("found %s, expected a function", kind(v))
	}
	if f.depth++; f.depth > maxDepth {
		fail("functions call functions deeper than %d", maxDepth)
	}
	defer func() { f.depth-- }()
	return function(f, a)
}

// globals are the functions that every template can call.
func globals() map[string]any {
	return map[string]any{
		"namespace": function(func(_ *frame, a arguments) any {
			a.named.named = true
			return a.named
		}),
		"dict": function(func(_ *frame, a arguments) any {
			return a.named
		}),
		"raise_exception": function(func(_ *frame, a arguments) any {
			fail("the template refuses the conversation: %s", a.text(0, "message", ""))
			return nil
		}),
		"range": function(countTo),
	}
}

// countTo returns the integers from start to stop, as Python's range does.
func countTo(f *frame, a arguments) any {
	start, stop, step := 0, a.integer(0, "stop", 0), a.integer(2, "step", 1)
	if len(a.list) > 1 {
		start, stop = stop, a.integer(1, "stop", 0)
	}
	if step == 0 {
		fail("found a range in steps of zero")
	}
	out := []any{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		f.step()
		out = append(out, i)
	}
	return out
}
