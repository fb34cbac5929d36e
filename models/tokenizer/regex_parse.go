package tokenizer

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A regexParser reads a regular expression; the first thing that it does not know ends it with an error.
type regexParser struct {
	src   string
	pos   int
	fold  bool // letters stand for both cases
	depth int  // of groups and classes
	err   error
}

// maxPattern and maxGroups bound a pattern's length in bytes and how deep its groups and classes may lie in one another.
const (
	maxPattern = 1 << 16
	maxGroups  = 100
)

// compileRegex reads a pattern. Its error says what is not supported, and where.
func compileRegex(source string) (*regex, error) {
	if len(source) > maxPattern {
		return nil, fmt.Errorf("a pattern of %d bytes, expected at most %d", len(source), maxPattern)
	}
	p := &regexParser{src: source}
	tree := p.choice()
	if p.more() {
		p.fail("an unmatched )")
	}
	if p.err != nil {
		return nil, p.err
	}
	c := &linker{}
	r := &regex{source: source, start: tree.link(c, accept{}), loops: c.loops}
	if c.full() {
		return nil, fmt.Errorf("pattern %q has too many repetitions", source)
	}
	return r, nil
}

// fail keeps the first error and goes to the end of the pattern.
func (p *regexParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("pattern %q, byte %d: %s is not supported", p.src, p.pos, fmt.Sprintf(format, args...))
	}
	p.pos = len(p.src)
}

func (p *regexParser) more() bool { return p.pos < len(p.src) }

// at says whether the pattern goes on with s.
func (p *regexParser) at(s string) bool { return strings.HasPrefix(p.src[p.pos:], s) }

// take skips s if the pattern goes on with it.
func (p *regexParser) take(s string) bool {
	if !p.at(s) {
		return false
	}
	p.pos += len(s)
	return true
}

// next reads a character.
func (p *regexParser) next() rune {
	c, size := utf8.DecodeRuneInString(p.src[p.pos:])
	p.pos += size
	return c
}

// deeper runs f one level deeper.
func (p *regexParser) deeper(f func()) {
	p.depth++
	if p.depth > maxGroups {
		p.fail("nesting deeper than %d", maxGroups)
	}
	f()
	p.depth--
}

// choice reads alternatives up to a ) or the end. A flag such as (?i) holds to the end of the group that it stands in.
func (p *regexParser) choice() expr {
	fold := p.fold
	all := choice{p.sequence()}
	for p.take("|") {
		all = append(all, p.sequence())
	}
	p.fold = fold
	if len(all) == 1 {
		return all[0]
	}
	return all
}

func (p *regexParser) sequence() expr {
	var all sequence
	for p.more() && !p.at("|") && !p.at(")") {
		if x := p.atom(); x != nil {
			all = append(all, p.repetitions(x))
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// repetitions reads what is written after x to say how often it may occur.
func (p *regexParser) repetitions(x expr) expr {
	for {
		low, high, ok := p.count()
		if !ok {
			return x
		}
		mode := greedy
		if p.take("?") {
			mode = lazy
		} else if p.take("+") {
			mode = possessive
		}
		x = repeated{x, low, high, mode}
	}
}

// count reads * + ? or {m,n}; a high of -1 means no bound.
func (p *regexParser) count() (low, high int, ok bool) {
	switch {
	case p.take("*"):
		return 0, -1, true
	case p.take("+"):
		return 1, -1, true
	case p.take("?"):
		return 0, 1, true
	case p.at("{"):
		return p.braces()
	}
	return 0, 0, false
}

// braces reads {m}, {m,}, {,n} or {m,n}; anything else in braces stands for itself.
func (p *regexParser) braces() (low, high int, ok bool) {
	inside, _, ok := strings.Cut(p.src[p.pos+1:], "}")
	first, last, isRange := strings.Cut(inside, ",")
	if !ok || !digits(first, 9) || !digits(last, 9) || first+last == "" {
		return 0, 0, false
	}
	low, _ = strconv.Atoi("0" + first)
	high, _ = strconv.Atoi("0" + last)
	if !isRange {
		high = low
	} else if last == "" {
		high = -1
	}
	if low > 1000 || high > 1000 || high >= 0 && high < low {
		p.fail("the repetition {%s}", inside)
		return 0, 0, false
	}
	p.pos += len(inside) + 2
	return low, high, true
}

// digits says whether s is made of digits, and not more than most.
func digits(s string, most int) bool { return len(s) <= most && strings.Trim(s, "0123456789") == "" }

// atom reads a group, a class, an edge or a character; nil is a flag, which stands for nothing.
func (p *regexParser) atom() (x expr) {
	switch {
	case p.take("("):
		p.deeper(func() { x = p.group() })
		return x
	case p.at("[") || p.at(`\p`) || p.at(`\P`):
		return p.chars(p.member())
	case p.take("."):
		return p.chars(ranges{{'\n', '\n'}}.not())
	case p.at("*") || p.at("+") || p.at("?"):
		p.fail("a repetition of nothing")
		return nil
	case p.take("^"):
		return boundary('^')
	case p.take("$"):
		return boundary('$')
	}
	if p.pos+1 < len(p.src) && p.src[p.pos] == '\\' && strings.IndexByte("AzZbB", p.src[p.pos+1]) >= 0 {
		p.pos += 2
		return boundary(p.src[p.pos-1])
	}
	return p.chars(p.member())
}

func (p *regexParser) chars(r ranges) expr { return chars{newSet(r)} }

// group reads what follows an opening parenthesis, up to its closing one.
func (p *regexParser) group() expr {
	wrap := func(x expr) expr { return x }
	fold := p.fold
	switch {
	case p.take("?="):
		wrap = func(x expr) expr { return ahead{x, false} }
	case p.take("?!"):
		wrap = func(x expr) expr { return ahead{x, true} }
	case p.take("?>"):
		wrap = func(x expr) expr { return cutOff{x} }
	case p.take("?i)"):
		p.fold = true
		return nil
	case p.take("?-i)"):
		p.fold = false
		return nil
	case p.take("?i:"):
		p.fold = true
	case p.take("?-i:"):
		p.fold = false
	case p.at("?") && !p.take("?:"):
		p.fail("the group (%.3s", p.src[p.pos:])
	}
	x := p.choice()
	if !p.take(")") {
		p.fail("a ( without )")
	}
	p.fold = fold
	return wrap(x)
}
