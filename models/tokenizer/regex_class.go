package tokenizer

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// member reads what may stand in a class and outside of one: a character, an escape, or a class.
func (p *regexParser) member() ranges {
	if p.take("[") {
		var r ranges
		p.deeper(func() { r = p.class() })
		return r
	}
	r, _ := p.character()
	return p.cased(r)
}

// class reads what follows an opening bracket, up to its closing one: a union of members, && between unions for what they have in common.
func (p *regexParser) class() ranges {
	negated := p.take("^")
	var parts []ranges
	var members []interval
	for first := true; p.more() && (first || !p.at("]")); first = false {
		if p.take("&&") {
			parts, members = append(parts, union(members...)), nil
			continue
		}
		members = append(members, p.interval()...)
	}
	if !p.take("]") {
		p.fail("a [ without ]")
	}
	r := union(members...)
	for _, part := range parts {
		r = r.and(part)
	}
	if negated {
		return r.not()
	}
	return r
}

// interval reads a member of a class, a-z being one.
func (p *regexParser) interval() ranges {
	if p.at("[:") {
		p.fail("a POSIX class")
	}
	if p.at("[") {
		return p.member()
	}
	low, single := p.character()
	if !single || !p.at("-") || p.at("-]") || p.at("-[") {
		return p.cased(low)
	}
	p.pos++
	high, single := p.character()
	if p.err != nil {
		return nil
	}
	if !single || high[0].lo < low[0].lo {
		p.fail("a range in a class that ends before %q", p.src[p.pos:])
		return nil
	}
	return p.cased(ranges{{low[0].lo, high[0].hi}})
}

// character reads a character or an escape, and says whether it is a single character.
func (p *regexParser) character() (r ranges, single bool) {
	if !p.more() {
		p.fail("an end here")
		return nil, false
	}
	c := p.next()
	if c != '\\' {
		return ranges{{c, c}}, true
	}
	if !p.more() {
		p.fail(`a \ at the end`)
		return nil, false
	}
	c = p.next()
	if r, ok := p.shorthand(c); ok {
		return r, false
	}
	c = p.escape(c)
	return ranges{{c, c}}, true
}

// shorthand returns the class that an escape stands for.
func (p *regexParser) shorthand(c rune) (ranges, bool) {
	switch c {
	case 'p', 'P':
		return p.property(c == 'P'), true
	case 'd', 'w', 's':
		r, _ := class(string(c))
		return r, true
	case 'D', 'W', 'S':
		r, _ := class(string(unicode.ToLower(c)))
		return r.not(), true
	case 'h':
		return ranges{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, true
	case 'R', 'X', 'K', 'k', 'g', 'G', 'N', 'O', 'H', 'y', 'Y', 'A', 'z', 'Z', 'b', 'B', 'c', 'C', 'M':
		p.fail(`\%c here`, c)
	}
	return nil, false
}

// property reads the name of a class in braces.
func (p *regexParser) property(negated bool) ranges {
	name, _, ok := strings.Cut(p.src[p.pos:], "}")
	if !ok || !strings.HasPrefix(name, "{") {
		p.fail(`\p without a name in braces`)
		return nil
	}
	p.pos += len(name) + 1
	bare := strings.TrimPrefix(name[1:], "^")
	if bare != name[1:] {
		negated = !negated
	}
	r, ok := class(bare)
	if !ok {
		p.fail("the class %q", bare)
	}
	if negated {
		return r.not()
	}
	return r
}

// escape returns the character that is written by an escape with the letter c.
func (p *regexParser) escape(c rune) rune {
	if i := strings.IndexRune("nrtfvae0", c); i >= 0 {
		return rune("\n\r\t\f\v\a\x1b\x00"[i])
	}
	switch {
	case c == 'x' && p.take("{"):
		code, _, _ := strings.Cut(p.src[p.pos:], "}")
		return p.code(len(code), "}")
	case c == 'x':
		return p.code(2, "")
	case c == 'u':
		return p.code(4, "")
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9':
		p.fail(`\%c`, c)
	}
	return c
}

// code reads a code point of n hexadecimal digits, which end follows.
func (p *regexParser) code(n int, end string) rune {
	digits := p.src[p.pos:min(p.pos+n, len(p.src))]
	code, err := strconv.ParseUint(digits, 16, 32)
	p.pos += len(digits)
	if err != nil || code > utf8.MaxRune || !p.take(end) {
		p.fail("the code point %q", digits)
	}
	return rune(code)
}

// cased adds, where case does not matter, everything that differs from the ranges only in case.
func (p *regexParser) cased(r ranges) ranges {
	if !p.fold {
		return r
	}
	all := slices.Clone(r)
	for _, v := range r {
		for c := v.lo; c <= v.hi; c++ {
			for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
				all = append(all, interval{f, f})
			}
		}
	}
	return union(all...)
}
