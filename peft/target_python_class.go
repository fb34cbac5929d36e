package peft

import (
	"strconv"
	"strings"
	"unicode"
)

// What \d, \s and \w mean to Python, as the inside of a set, and the complements of two of them. The complement of \w cannot be written so: see [python.class].
const (
	digitSet    = `\p{Nd}`
	notDigitSet = `\P{Nd}`
	spaceSet    = "\x09-\x0d\x1c-\x20\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
	notSpaceSet = "\x00-\x08\x0e-\x1b\x21-\u0084\u0086-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\U0010ffff"
	wordSet     = `\p{L}\p{N}_`
)

// The same with the flag a.
const (
	asciiDigitSet    = `0-9`
	asciiNotDigitSet = "\x00-/:-\U0010ffff"
	asciiSpaceSet    = "\x09-\x0d "
	asciiNotSpaceSet = "\x00-\x08\x0e-\x1f!-\U0010ffff"
	asciiWordSet     = `0-9A-Z_a-z`
	asciiNotWordSet  = "\x00-/:-@\\[-\\^`{-\U0010ffff"
)

// set is the inside of a set for \d, \D, \s, \S, \w and, with the flag a, \W.
func (m mode) set(c rune) (inside string, ok bool) {
	unicodeSets := map[rune]string{'d': digitSet, 'D': notDigitSet, 's': spaceSet, 'S': notSpaceSet, 'w': wordSet}
	asciiSets := map[rune]string{
		'd': asciiDigitSet, 'D': asciiNotDigitSet, 's': asciiSpaceSet, 'S': asciiNotSpaceSet, 'w': asciiWordSet, 'W': asciiNotWordSet,
	}
	if m.ascii {
		inside, ok = asciiSets[c]
	} else {
		inside, ok = unicodeSets[c]
	}
	return inside, ok
}

// word is the set of what \w means.
func (m mode) word() string {
	inside, _ := m.set('w')
	return "[" + inside + "]"
}

// escape reads what follows a backslash outside of a set.
func (p *python) escape(m mode) (string, kind) {
	c := p.next()
	if inside, ok := m.set(c); ok {
		return "[" + inside + "]", atom
	}
	w := m.word()
	switch {
	case c == 'W':
		return "[^" + wordSet + "]", atom
	case c == 'A':
		return `\A`, boundary
	case c == 'Z':
		return `\z`, boundary
	case c == 'b':
		return "(?:(?<=" + w + ")(?!" + w + ")|(?<!" + w + ")(?=" + w + "))", boundary
	case c == 'B':
		return "(?:(?<=" + w + ")(?=" + w + ")|(?<!" + w + ")(?!" + w + "))", boundary
	case c >= '1' && c <= '9':
		return p.numbered(c), atom
	}
	return literal(p.character(c)), atom
}

// numbered reads \N, a reference to a group, or a character in three octal digits.
func (p *python) numbered(c rune) string {
	digits := string(c)
	if isDigit(p.peek()) {
		digits += string(p.next())
	}
	if len(digits) == 2 && strings.Trim(digits, "01234567") == "" && isOctal(p.peek()) {
		return literal(p.code(digits+string(p.next()), 8))
	}
	n, _ := strconv.Atoi(digits)
	return p.reference(n)
}

// controls are the letters that after a backslash mean a control character.
const controls = "a\ab\bf\fn\nr\rt\tv\v"

// character reads the rest of an escape that means one character.
func (p *python) character(c rune) rune {
	switch {
	case c == -1:
		p.fail("bad escape (end of pattern)")
	case c == '0':
		return p.code("0"+p.while(2, isOctal), 8)
	case c == 'x':
		return p.hex(2)
	case c == 'u':
		return p.hex(4)
	case c == 'U':
		return p.hex(8)
	case isAlnum(c):
		if i := strings.IndexRune(controls, c); i >= 0 {
			return rune(controls[i+1])
		}
		p.fail(`bad escape \%c`, c)
	}
	return c
}

func (p *python) hex(n int) rune {
	digits := p.while(n, isHex)
	if len(digits) < n {
		p.fail("incomplete escape: expected %d hexadecimal digits", n)
		return 0
	}
	return p.code(digits, 16)
}

// code is a character by its number.
func (p *python) code(digits string, base int) rune {
	v, err := strconv.ParseUint(digits, base, 32)
	if err != nil || v > unicode.MaxRune || base == 8 && v > 0o377 {
		p.fail("escape outside of the range of characters")
		return 0
	}
	return rune(v)
}

// class reads a set, after its opening bracket. .NET has no sets in which \W stands beside others, so this is then a choice of two sets.
func (p *python) class(m mode) string {
	negated := p.accept('^')
	var inside strings.Builder
	notWord := false
	for first := true; first || p.peek() != ']'; first = false {
		if !p.more() {
			p.fail("unterminated character set")
			return ""
		}
		text, isNotWord := p.element(m)
		inside.WriteString(text)
		notWord = notWord || isNotWord
	}
	p.next()
	switch {
	case !notWord && negated:
		return "[^" + inside.String() + "]"
	case !notWord:
		return "[" + inside.String() + "]"
	}
	choice := "[^" + wordSet + "]"
	if inside.Len() > 0 {
		choice += "|[" + inside.String() + "]"
	}
	if negated {
		return "(?:(?!" + choice + ")(?s:.))"
	}
	return "(?:" + choice + ")"
}

// element reads a character, a range or \d and the like in a set.
func (p *python) element(m mode) (inside string, notWord bool) {
	lo, set, notWord := p.member(m)
	if p.peek() != '-' || p.at+1 < len(p.in) && p.in[p.at+1] == ']' {
		return set, notWord
	}
	p.next()
	if !p.more() {
		p.fail("unterminated character set")
		return "", false
	}
	hi, _, _ := p.member(m)
	if lo < 0 || hi < lo {
		p.fail("bad character range")
		return "", false
	}
	return literal(lo) + "-" + literal(hi), false
}

// member reads one end of a range: a character, -1 where it is \d and the like.
func (p *python) member(m mode) (c rune, inside string, notWord bool) {
	c = p.next()
	if c == '\\' {
		c = p.next()
		if inside, ok := m.set(c); ok {
			return -1, inside, false
		}
		if c == 'W' {
			return -1, "", true
		}
		if isOctal(c) {
			c = p.code(string(c)+p.while(2, isOctal), 8)
		} else {
			c = p.character(c)
		}
	}
	return c, literal(c), false
}
