package peft

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fromPython rewrites a regular expression in Python's syntax (re of Python 3.11, on str) for regexp2, whose syntax is .NET's. The two share most of their constructs but not how they
// are written, nor what \w and the like mean, so the expression is parsed and written anew, atom by atom. Errors are Python's.
//
// Looser than Python: a look-behind may have any width. Not supported: \N{NAME}.
func fromPython(source string) (string, error) {
	p := &python{in: []rune(source), names: map[string]int{}, open: map[int]bool{}}
	if len(p.in) > maxPattern {
		p.fail("more than %d characters", maxPattern)
	}
	out := p.alternatives(mode{}, true)
	if p.more() {
		p.fail("unbalanced parenthesis")
	}
	for _, n := range p.conditions {
		if n > p.groups {
			p.fail("there is no group %d", n)
		}
	}
	if p.err != nil {
		return "", fmt.Errorf("pattern %.200q: %w", source, p.err)
	}
	if p.global != "" {
		out = "(?" + p.global + ":" + out + ")"
	}
	return out, nil
}

// What a pattern may hold, far beyond any that is meant for names of modules.
const (
	maxPattern = 10000 // characters
	maxDepth   = 100   // groups in groups
	maxRepeat  = 1000  // of counts in one another
)

// python reads a pattern. After an error, which is the first one, nothing more is read.
type python struct {
	in         []rune
	at         int
	err        error
	depth      int
	groups     int            // opened so far
	names      map[string]int // of groups
	open       map[int]bool   // groups that are not closed yet
	weight     int            // of what was read last, see sequence
	conditions []int          // groups that (?(n)…) asks for, which may come later
	global     string         // flags for the whole pattern, of those that regexp2 has
}

// mode is the flags that the rewriting itself obeys.
type mode struct{ verbose, ascii bool }

func (p *python) more() bool { return p.err == nil && p.at < len(p.in) }

// peek is the next character, -1 at the end.
func (p *python) peek() rune {
	if !p.more() {
		return -1
	}
	return p.in[p.at]
}

// next takes the next character, -1 at the end.
func (p *python) next() rune {
	c := p.peek()
	if c >= 0 {
		p.at++
	}
	return c
}

// accept takes the next character if it is c.
func (p *python) accept(c rune) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

// while takes up to n characters for which ok holds.
func (p *python) while(n int, ok func(rune) bool) string {
	from := p.at
	for p.more() && p.at-from < n && ok(p.in[p.at]) {
		p.at++
	}
	return string(p.in[from:p.at])
}

// until takes the characters before the next c, and c.
func (p *python) until(c rune, what string) string {
	text := p.while(len(p.in), func(r rune) bool { return r != c })
	if !p.accept(c) {
		p.fail("missing %c, unterminated %s", c, what)
	}
	return text
}

// fail notes the first error.
func (p *python) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format+" at position %d", append(args, p.at)...)
	}
}

// alternatives reads branches up to a closing parenthesis or the end.
func (p *python) alternatives(m mode, top bool) string {
	branches, heaviest := []string{p.branch(&m, top)}, p.weight
	for p.accept('|') {
		branches = append(branches, p.branch(&m, false))
		heaviest = max(heaviest, p.weight)
	}
	p.weight = heaviest
	return strings.Join(branches, "|")
}

// A kind is what an item of a branch is, as far as repeating it goes.
type kind uint8

const (
	nothing kind = iota // a comment, flags
	atom
	boundary // ^ $ \b: may not be repeated
	repeated // may not be repeated again
)

// A sequence is the items of a branch so far.
type sequence struct {
	items            []string
	last             kind
	weight, heaviest int // how often the last item, and the one of most repeats, is repeated by counts within counts
}

func (s *sequence) add(text string, k kind, weight int) {
	if k != nothing {
		s.items, s.last, s.weight, s.heaviest = append(s.items, text), k, weight, max(s.heaviest, weight)
	}
}

// branch reads a sequence of items and notes its weight.
func (p *python) branch(m *mode, first bool) string {
	s := sequence{heaviest: 1}
	for p.more() && p.peek() != '|' && p.peek() != ')' {
		switch c := p.next(); {
		case m.verbose && strings.ContainsRune(" \t\n\r\v\f", c):
		case m.verbose && c == '#':
			p.while(len(p.in), func(r rune) bool { return r != '\n' })
		case strings.ContainsRune("?*+{", c):
			p.repeat(&s, c)
		default:
			p.weight = 1
			text, k := p.item(c, m, first && len(s.items) == 0)
			s.add(text, k, p.weight)
		}
	}
	p.weight = s.heaviest
	return strings.Join(s.items, "")
}

// repeat reads a quantifier, which begins with c, and puts it after the last item. A possessive one is an atomic group.
func (p *python) repeat(s *sequence, c rune) {
	q, times, ok := p.quantifier(c)
	if !ok {
		s.add(literal(c), atom, 1)
		return
	}
	switch {
	case s.last == nothing || s.last == boundary:
		p.fail("nothing to repeat")
		return
	case s.last == repeated:
		p.fail("multiple repeat")
	case s.weight*times > maxRepeat:
		p.fail("more than %d repeats, counting those in one another", maxRepeat)
	}
	item := &s.items[len(s.items)-1]
	switch {
	case p.accept('?'):
		*item += q + "?"
	case p.accept('+'):
		*item = "(?>" + *item + q + ")"
	default:
		*item += q
	}
	s.last, s.heaviest = repeated, max(s.heaviest, s.weight*times)
}

// quantifier reads the rest of ?, *, + or {n,m}, and how many times it repeats at most, if it says so; not ok: the brace is just a brace.
func (p *python) quantifier(c rune) (q string, times int, ok bool) {
	if c != '{' {
		return string(c), 1, true
	}
	start := p.at
	lo := p.while(len(p.in), isDigit)
	hi, comma := lo, p.accept(',')
	if comma {
		hi = p.while(len(p.in), isDigit)
	}
	if !p.accept('}') || lo == "" && !comma {
		p.at = start
		return "", 0, false
	}
	q, times = p.bounds(lo, hi)
	return q, times, true
}

// bounds writes {lo,hi}, of which either may be empty, and says which is the largest number.
func (p *python) bounds(lo, hi string) (q string, times int) {
	least, most := p.count(lo), p.count(hi)
	switch {
	case hi == "":
		return fmt.Sprintf("{%d,}", least), max(least, 1)
	case least > most:
		p.fail("min repeat greater than max repeat")
	}
	return fmt.Sprintf("{%d,%d}", least, most), max(most, 1)
}

// count is a number of repeats, 0 where there is none.
func (p *python) count(digits string) int {
	n, err := strconv.Atoi("0" + digits)
	if err != nil || n > maxRepeat {
		p.fail("more than %d repeats", maxRepeat)
		return 0
	}
	return n
}

// item reads what is no quantifier, beginning with c.
func (p *python) item(c rune, m *mode, first bool) (string, kind) {
	switch c {
	case '.':
		return ".", atom
	case '^', '$':
		return string(c), boundary
	case '[':
		return p.class(*m), atom
	case '\\':
		return p.escape(*m)
	case '(':
		return p.group(m, first)
	}
	return literal(c), atom
}

// literal writes a character that stands for itself.
func literal(c rune) string {
	if c < utf8.RuneSelf && !isAlnum(c) {
		return fmt.Sprintf(`\x%02x`, c)
	}
	return string(c)
}

func isDigit(c rune) bool { return c >= '0' && c <= '9' }
func isOctal(c rune) bool { return c >= '0' && c <= '7' }
func isHex(c rune) bool   { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }
func isAlpha(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isAlnum(c rune) bool { return isDigit(c) || isAlpha(c) }
