package chat

// An expression computes a value.
type expression func(f *frame) any

// A reader reads the words of a tag.
type reader struct {
	words []lexeme
	depth int
}

// maxNesting bounds how deep expressions and statements may lie in one another.
const maxNesting = 200

func (r *reader) peek() lexeme { return r.words[0] }

// next takes the next word.
func (r *reader) next() lexeme {
	x := r.words[0]
	if x.kind != 0 {
		r.words = r.words[1:]
	}
	return x
}

// is says whether the next word is the operator or name.
func (r *reader) is(text string) bool {
	x := r.peek()
	return (x.kind == 'o' || x.kind == 'n') && x.text == text
}

// take skips the word if it is next.
func (r *reader) take(text string) bool {
	if !r.is(text) {
		return false
	}
	r.next()
	return true
}

// want skips a word that has to be next.
func (r *reader) want(text string) {
	if !r.take(text) {
		fail("found %q, expected %q", r.peek().text, text)
	}
}

// name takes a name.
func (r *reader) name() string {
	if r.peek().kind != 'n' {
		fail("found %q, expected a name", r.peek().text)
	}
	return r.next().text
}

// end makes sure that no word is left.
func (r *reader) end() {
	if r.peek().kind != 0 {
		fail("found %q, expected the end of the tag", r.peek().text)
	}
}

// expression reads a whole expression: x if condition else y.
func (r *reader) expression() expression {
	if r.depth++; r.depth > maxNesting {
		fail("found expressions within expressions deeper than %d", maxNesting)
	}
	defer func() { r.depth-- }()
	x := r.or()
	for r.take("if") {
		condition, then, otherwise := r.or(), x, expression(func(*frame) any { return undefined{"the value of an if without else"} })
		if r.take("else") {
			otherwise = r.expression()
		}
		x = func(f *frame) any {
			if truth(condition(f)) {
				return then(f)
			}
			return otherwise(f)
		}
	}
	return x
}

// tuple reads expressions with commas between them, which are a list, or a single one.
func (r *reader) tuple() expression {
	x := r.expression()
	if !r.is(",") {
		return x
	}
	all := []expression{x}
	for r.take(",") && r.peek().kind != 0 {
		all = append(all, r.expression())
	}
	return func(f *frame) any { return evaluate(f, all) }
}

func (r *reader) or() expression {
	x := r.and()
	for r.take("or") {
		a, b := x, r.and()
		x = func(f *frame) any {
			if v := a(f); truth(v) {
				return v
			}
			return b(f)
		}
	}
	return x
}

func (r *reader) and() expression {
	x := r.not()
	for r.take("and") {
		a, b := x, r.not()
		x = func(f *frame) any {
			if v := a(f); !truth(v) {
				return v
			}
			return b(f)
		}
	}
	return x
}

func (r *reader) not() expression {
	if !r.take("not") {
		return r.comparison()
	}
	if r.depth++; r.depth > maxNesting {
		fail("found expressions within expressions deeper than %d", maxNesting)
	}
	x := r.not()
	r.depth--
	return func(f *frame) any { return !truth(x(f)) }
}

// comparison reads a == b and its like; of a < b < c both have to hold.
func (r *reader) comparison() expression {
	x := r.sum()
	first, last := expression(nil), x
	for {
		compare := r.comparator()
		if compare == nil {
			break
		}
		a, b, before := last, r.sum(), first
		first = func(f *frame) any { return (before == nil || truth(before(f))) && compare(a(f), b(f)) }
		last = b
	}
	if first != nil {
		return first
	}
	return x
}

// comparator takes the next word if it compares.
func (r *reader) comparator() func(a, b any) bool {
	if r.is("not") && len(r.words) > 1 && r.words[1].text == "in" {
		r.words = r.words[2:]
		return func(a, b any) bool { return !contains(b, a) }
	}
	for _, word := range []string{"==", "!=", "<=", ">=", "<", ">", "in"} {
		if r.take(word) {
			return comparators[word]
		}
	}
	return nil
}

// chain reads operands with operators between them that are taken from left to right.
func (r *reader) chain(operand func() expression, words ...string) expression {
	x := operand()
	for {
		word := r.peek()
		if word.kind != 'o' || !in(word.text, words) {
			return x
		}
		r.next()
		a, b, apply := x, operand(), binary[word.text]
		x = func(f *frame) any {
			f.step()
			return apply(a(f), b(f))
		}
	}
}

func (r *reader) sum() expression     { return r.chain(r.joint, "+", "-") }
func (r *reader) joint() expression   { return r.chain(r.product, "~") }
func (r *reader) product() expression { return r.chain(r.unary, "*", "/", "//", "%") }

// unary reads a sign, or a value with what follows it, filters and tests included.
func (r *reader) unary() expression {
	if r.take("-") {
		x := r.postfix(r.value())
		return func(f *frame) any { return subtract(0, x(f)) }
	}
	r.take("+")
	x := r.postfix(r.value())
	for {
		switch {
		case r.take("|"):
			x = r.filter(x)
		case r.take("is"):
			x = r.test(x)
		default:
			return x
		}
	}
}

// filter reads name(arguments).
func (r *reader) filter(x expression) expression {
	apply, args := filterNamed(r.name()), r.optionalArguments()
	return r.postfix(func(f *frame) any {
		f.step()
		return apply(f, x(f), args(f))
	})
}

// test reads name, name argument or name(arguments), with not before it for the contrary.
func (r *reader) test(x expression) expression {
	negated := r.take("not")
	name := r.name()
	check, ok := tests[name]
	if !ok {
		fail("found the test %q, which is not known", name)
	}
	args := r.optionalArguments()
	if word := r.peek(); word.kind == 'i' || word.kind == 's' {
		operand := r.value()
		args = func(f *frame) arguments { return arguments{list: []any{operand(f)}} }
	}
	return func(f *frame) any { return check(x(f), args(f)) != negated }
}

// postfix reads what may follow a value: .name, [index], (arguments).
func (r *reader) postfix(x expression) expression {
	for {
		of := x
		switch {
		case r.take("."):
			word := r.next()
			if word.kind != 'n' && word.kind != 'i' {
				fail("found %q after a point, expected a name", word.text)
			}
			name := word.text
			x = func(f *frame) any { return attribute(of(f), name) }
		case r.take("["):
			x = r.index(of)
		case r.is("("):
			args := r.optionalArguments()
			x = func(f *frame) any { return call(f, of(f), args(f)) }
		default:
			return x
		}
	}
}

// index reads what follows an opening bracket: an index, or a slice.
func (r *reader) index(of expression) expression {
	var bounds [3]expression
	n := 0
	for {
		if !r.is(":") && !r.is("]") {
			bounds[n] = r.expression()
		}
		if !r.take(":") {
			break
		}
		if n++; n > 2 {
			fail("found a slice of more than three parts")
		}
	}
	r.want("]")
	if n == 0 {
		if bounds[0] == nil {
			fail("found brackets without an index")
		}
		return func(f *frame) any { return item(of(f), bounds[0](f)) }
	}
	return func(f *frame) any { return slice(f, of(f), bounds) }
}

// value reads a literal, a variable, or an expression in brackets.
func (r *reader) value() expression {
	switch word := r.next(); {
	case word.kind == 'n':
		return variable(word.text)
	case word.kind == 'i':
		return func(*frame) any { return word.value }
	case word.kind == 's':
		s := word.value.(string)
		for r.peek().kind == 's' {
			s += r.next().value.(string)
		}
		return func(*frame) any { return s }
	case word.text == "(":
		return r.group()
	case word.text == "[":
		all := r.list("]")
		return func(f *frame) any { return evaluate(f, all) }
	case word.text == "{":
		return r.mapping()
	default:
		fail("found %q, expected a value", word.text)
		return nil
	}
}

// constants are the names that are no variables.
var constants = map[string]any{"true": true, "True": true, "false": false, "False": false, "none": nil, "None": nil}

func variable(name string) expression {
	if v, ok := constants[name]; ok {
		return func(*frame) any { return v }
	}
	return func(f *frame) any { return f.get(name) }
}

// group reads what follows an opening parenthesis: one expression, or a tuple, which is taken for a list.
func (r *reader) group() expression {
	if r.take(")") {
		return func(*frame) any { return []any{} }
	}
	x := r.expression()
	if r.take(")") {
		return x
	}
	r.want(",")
	all := append([]expression{x}, r.list(")")...)
	return func(f *frame) any { return evaluate(f, all) }
}

// list reads expressions up to a closing bracket.
func (r *reader) list(end string) (all []expression) {
	for !r.take(end) {
		all = append(all, r.expression())
		if !r.is(end) {
			r.want(",")
		}
	}
	return all
}

func evaluate(f *frame, all []expression) []any {
	out := make([]any, len(all))
	for i, x := range all {
		out[i] = x(f)
	}
	return out
}

// mapping reads what follows an opening brace.
func (r *reader) mapping() expression {
	var keys, values []expression
	for !r.take("}") {
		keys = append(keys, r.expression())
		r.want(":")
		values = append(values, r.expression())
		if !r.is("}") {
			r.want(",")
		}
	}
	return func(f *frame) any {
		o := newObject()
		for i := range keys {
			o.set(str(keys[i](f)), values[i](f))
		}
		return o
	}
}
