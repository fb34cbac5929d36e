package chat

// tests are what may follow is.
var tests = map[string]func(v any, a arguments) bool{
	"defined":     func(v any, _ arguments) bool { return !is[undefined](v) },
	"undefined":   func(v any, _ arguments) bool { return is[undefined](v) },
	"none":        func(v any, _ arguments) bool { return v == nil },
	"string":      func(v any, _ arguments) bool { return is[string](v) },
	"mapping":     func(v any, _ arguments) bool { return is[*object](v) },
	"sequence":    func(v any, _ arguments) bool { return is[string](v) || is[[]any](v) || is[*object](v) },
	"iterable":    func(v any, _ arguments) bool { return is[string](v) || is[[]any](v) || is[*object](v) },
	"boolean":     func(v any, _ arguments) bool { return is[bool](v) },
	"true":        func(v any, _ arguments) bool { return v == true },
	"false":       func(v any, _ arguments) bool { return v == false },
	"integer":     func(v any, _ arguments) bool { return is[int](v) },
	"float":       func(v any, _ arguments) bool { return is[float64](v) },
	"number":      func(v any, _ arguments) bool { return is[int](v) || is[float64](v) || is[bool](v) },
	"callable":    func(v any, _ arguments) bool { return is[function](v) },
	"odd":         func(v any, _ arguments) bool { return equal(arithmetic("%", v, 2), 1) },
	"even":        func(v any, _ arguments) bool { return equal(arithmetic("%", v, 2), 0) },
	"divisibleby": func(v any, a arguments) bool { return equal(arithmetic("%", v, a.integer(0, "num", 0)), 0) },
	"equalto":     isEqual,
	"eq":          isEqual,
	"ne":          func(v any, a arguments) bool { return !isEqual(v, a) },
	"in": func(v any, a arguments) bool {
		all, _ := a.get(0, "seq")
		return contains(all, v)
	},
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

func isEqual(v any, a arguments) bool {
	other, ok := a.get(0, "other")
	return ok && equal(v, other)
}
