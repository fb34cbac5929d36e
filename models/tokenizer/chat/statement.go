package chat

import (
	"fmt"
	"slices"
)

// A statement does something; it returns whether the loop that it stands in goes on.
type statement func(f *frame) signal

// A signal says how to go on.
type signal uint8

const (
	onward   signal = iota // with the next statement
	nextTurn               // with the next turn of the loop
	leave                  // after the loop
)

// A block is a list of statements.
type block []statement

func (b block) do(f *frame) signal {
	for _, s := range b {
		f.step()
		if sig := s(f); sig != onward {
			return sig
		}
	}
	return onward
}

// A parser reads the pieces of a template.
type parser struct {
	pieces []piece
	depth  int
	loops  int
}

// parse reads a template.
func parse(source string) (b block, err error) {
	p := &parser{}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.error
			if len(p.pieces) > 0 {
				err = fmt.Errorf("line %d: %w", p.pieces[0].line, r.error)
			}
		default:
			panic(r)
		}
	}()
	p.pieces = pieces(source)
	b, end := p.block()
	if end != "" {
		fail("found %s without what it ends", end)
	}
	return b, nil
}

// block reads statements up to the end of the template or to a word that ends a block, and returns the word; its tag is the next.
func (p *parser) block() (b block, end string) {
	if p.depth++; p.depth > maxNesting {
		fail("found blocks within blocks deeper than %d", maxNesting)
	}
	defer func() { p.depth-- }()
	for len(p.pieces) > 0 {
		switch now := p.pieces[0]; now.mark {
		case 0:
			b = append(b, func(f *frame) signal { f.write(now.text); return onward })
		case '{':
			r := &reader{words: lexemes(now.text)}
			x := r.tuple()
			r.end()
			b = append(b, func(f *frame) signal { f.write(str(x(f))); return onward })
		default:
			r := &reader{words: lexemes(now.text)}
			word := r.peek().text
			if slices.Contains(blockEnds, word) {
				return b, word
			}
			b = append(b, p.statement(r))
			continue
		}
		p.pieces = p.pieces[1:]
	}
	return b, ""
}

// blockEnds are the words that end a block.
var blockEnds = []string{"endif", "elif", "else", "endfor", "endset", "endmacro", "endgeneration"}

// tag returns the words of the next tag and goes on to the piece behind it.
func (p *parser) tag() *reader {
	if len(p.pieces) == 0 {
		fail("found the end of the template within a block")
	}
	r := &reader{words: lexemes(p.pieces[0].text)}
	p.pieces = p.pieces[1:]
	return r
}

// until reads a block and the tag that ends it, whose first word has to be one of the given ones.
func (p *parser) until(words ...string) (b block, word string, tag *reader) {
	b, word = p.block()
	if word == "" {
		fail("found the end of the template, expected one of %q", words)
	}
	if !in(word, words) {
		fail("found %q, expected one of %q", word, words)
	}
	tag = p.tag()
	tag.next()
	return b, word, tag
}

// statement reads a statement with all its blocks.
func (p *parser) statement(r *reader) statement {
	read, ok := map[string]func(*reader) statement{"if": p.ifStatement, "for": p.forStatement, "set": p.setStatement, "macro": p.macroStatement,
		"break": p.jump, "continue": p.jump, "generation": p.generation}[r.peek().text]
	if !ok {
		fail("found the statement %q, which is not known", r.peek().text)
	}
	p.pieces = p.pieces[1:]
	if !in(r.peek().text, []string{"break", "continue"}) {
		r.next()
	}
	return read(r)
}

// ifStatement reads if, elif and else.
func (p *parser) ifStatement(r *reader) statement {
	condition := r.expression()
	r.end()
	then, word, tag := p.until("elif", "else", "endif")
	var otherwise block
	switch word {
	case "elif":
		otherwise = block{p.ifStatement(tag)}
	case "else":
		otherwise, _, _ = p.until("endif")
	}
	return func(f *frame) signal {
		if truth(condition(f)) {
			return then.do(f)
		}
		return otherwise.do(f)
	}
}

// setStatement reads set name = value, set namespace.name = value, or set name with a block that writes the value.
func (p *parser) setStatement(r *reader) statement {
	targets := []func(*frame, any){r.target()}
	for r.take(",") {
		targets = append(targets, r.target())
	}
	if !r.take("=") {
		r.end()
		body, _, _ := p.until("endset")
		return func(f *frame) signal {
			assign(f, targets, capture(f, body))
			return onward
		}
	}
	x := r.tuple()
	r.end()
	return func(f *frame) signal {
		assign(f, targets, x(f))
		return onward
	}
}

// target reads what is set: a variable, or an entry of a namespace.
func (r *reader) target() func(*frame, any) {
	name := r.name()
	if !r.take(".") {
		return func(f *frame, v any) { f.vars[name] = v }
	}
	key := r.name()
	return func(f *frame, v any) {
		o, ok := f.get(name).(*object)
		if !ok || !o.named {
			fail("found %s, expected %s to be a namespace", kind(f.get(name)), name)
		}
		o.set(key, v)
	}
}

// assign sets one target to a value, or several to its elements.
func assign(f *frame, targets []func(*frame, any), v any) {
	if len(targets) == 1 {
		targets[0](f, v)
		return
	}
	all := elements(v)
	if len(all) != len(targets) {
		fail("found %d values, expected %d", len(all), len(targets))
	}
	for i, set := range targets {
		set(f, all[i])
	}
}

// capture returns what a block writes.
func capture(f *frame, body block) string {
	inner := &frame{map[string]any{}, f, &run{steps: f.steps, depth: f.depth}}
	body.do(inner)
	f.steps = inner.steps
	return inner.out.String()
}

// macroStatement reads a function that a template defines. It sees its arguments and what is set at the top of the template.
func (p *parser) macroStatement(r *reader) statement {
	name := r.name()
	parameters, defaults := r.parameters()
	r.end()
	body, _, _ := p.until("endmacro")
	return func(f *frame) signal {
		f.vars[name] = function(func(caller *frame, a arguments) any {
			inner := &frame{map[string]any{}, f, caller.run}
			for i, parameter := range parameters {
				v, ok := a.get(i, parameter)
				if !ok && defaults[i] != nil {
					v, ok = defaults[i](inner), true
				}
				if !ok {
					v = undefined{parameter}
				}
				inner.vars[parameter] = v
			}
			return capture(inner, body)
		})
		return onward
	}
}

// parameters reads (a, b=value).
func (r *reader) parameters() (names []string, defaults []expression) {
	r.want("(")
	for !r.take(")") {
		names = append(names, r.name())
		var value expression
		if r.take("=") {
			value = r.expression()
		}
		defaults = append(defaults, value)
		if !r.is(")") {
			r.want(",")
		}
	}
	return names, defaults
}

// generation reads the mark around what the assistant says, which writes nothing of its own.
func (p *parser) generation(r *reader) statement {
	r.end()
	body, _, _ := p.until("endgeneration")
	return body.do
}

// jump reads break and continue.
func (p *parser) jump(r *reader) statement {
	sig := nextTurn
	if r.next().text == "break" {
		sig = leave
	}
	r.end()
	if p.loops == 0 {
		fail("found a jump outside of loops")
	}
	return func(*frame) signal { return sig }
}
