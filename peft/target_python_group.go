package peft

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// group reads what follows an opening parenthesis. Groups are written without names, so that they are numbered as Python numbers them.
func (p *python) group(m *mode, first bool) (string, kind) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		p.fail("more than %d groups in one another", maxDepth)
	}
	if !p.accept('?') {
		return p.capture("", *m), atom
	}
	switch c := p.next(); {
	case c == 'P':
		return p.named(*m), atom
	case c == ':':
		return p.close("(?:", *m), atom
	case c == '#':
		p.until(')', "comment")
		return "", nothing
	case c == '>' || c == '=' || c == '!':
		return p.close("(?"+string(c), *m), atom
	case c == '<':
		if c := p.next(); c == '=' || c == '!' {
			return p.close("(?<"+string(c), *m), atom
		}
		p.fail("unknown extension ?<: names are written (?P<name>…)")
	case c == '(':
		return p.conditional(*m), atom
	case c == '-' || strings.ContainsRune("iLmsxau", c):
		p.at--
		return p.flags(m, first)
	default:
		p.fail("unknown extension ?%c", c)
	}
	return "", nothing
}

// close reads the inside of a group and its closing parenthesis.
func (p *python) close(open string, m mode) string {
	inside := p.alternatives(m, false)
	if !p.accept(')') {
		p.fail("missing ), unterminated subpattern")
	}
	return open + inside + ")"
}

// capture reads a capturing group.
func (p *python) capture(name string, m mode) string {
	p.groups++
	n := p.groups
	if name != "" {
		p.names[name] = n
	}
	p.open[n] = true
	defer delete(p.open, n)
	return p.close("(", m)
}

// named reads (?P<name>…) or (?P=name).
func (p *python) named(m mode) string {
	switch c := p.next(); c {
	case '<':
		name := p.name('>')
		if p.names[name] != 0 {
			p.fail("redefinition of group name %q", name)
		}
		return p.capture(name, m)
	case '=':
		return p.reference(p.numberOf(p.name(')')))
	default:
		p.fail("unknown extension ?P%c", c)
	}
	return ""
}

// name reads an identifier up to end.
func (p *python) name(end rune) string {
	name := p.until(end, "name")
	for i, c := range name {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			p.fail("bad character in group name %q", name)
		}
	}
	if name == "" {
		p.fail("missing group name")
	}
	return name
}

// numberOf is the number of a named group.
func (p *python) numberOf(name string) int {
	n := p.names[name]
	if n == 0 {
		p.fail("unknown group name %q", name)
	}
	return n
}

// reference is what a group before it matched.
func (p *python) reference(n int) string {
	switch {
	case n > p.groups:
		p.fail("invalid group reference %d", n)
	case p.open[n]:
		p.fail("cannot refer to an open group")
	}
	return fmt.Sprintf(`\k<%d>`, n)
}

// conditional reads (?(group)yes|no).
func (p *python) conditional(m mode) string {
	name := p.until(')', "name")
	n, err := strconv.Atoi(name)
	switch {
	case err != nil:
		p.at -= len([]rune(name)) + 1
		n = p.numberOf(p.name(')'))
	case n < 1:
		p.fail("bad group number %d", n)
	}
	p.conditions = append(p.conditions, n)
	yes, heaviest := p.branch(&m, false), p.weight
	no := ""
	if p.accept('|') {
		no = p.branch(&m, false)
	}
	p.weight = max(heaviest, p.weight)
	if !p.accept(')') {
		p.fail("expected ) after at most two branches of a conditional")
	}
	return fmt.Sprintf("(?(%d)%s|%s)", n, yes, no)
}

// flags reads (?flags), which are for the whole pattern and stand before it, or (?flags-flags:…).
func (p *python) flags(m *mode, first bool) (string, kind) {
	on, off := p.while(len(p.in), isAlpha), ""
	if p.accept('-') {
		off = p.while(len(p.in), isAlpha)
		if off == "" {
			p.fail("missing flag")
		}
	}
	p.checkFlags(on, off)
	inner := m.with(on, off)
	switch c := p.next(); {
	case c == ':':
		return p.close(dotNetFlags(on, off), inner), atom
	case c != ')' || off != "":
		p.fail("unknown flag, or missing :")
	case !first:
		p.fail("global flags not at the start of the expression")
	}
	*m = inner
	p.global += shared(on)
	return "", nothing
}

// checkFlags refuses what Python refuses.
func (p *python) checkFlags(on, off string) {
	switch {
	case strings.Trim(on, "imsxau") != "" || strings.Trim(off, "imsx") != "":
		p.fail("unknown or misplaced flag in %q", on+"-"+off)
	case strings.Contains(on, "a") && strings.Contains(on, "u"):
		p.fail("flags a and u are incompatible")
	case off != "" && strings.ContainsAny(on, off):
		p.fail("flag turned on and off")
	}
}

// with is the mode inside (?on-off:…).
func (m mode) with(on, off string) mode {
	m.verbose = (m.verbose || strings.Contains(on, "x")) && !strings.Contains(off, "x")
	m.ascii = (m.ascii || strings.Contains(on, "a")) && !strings.Contains(on, "u")
	return m
}

// dotNetFlags opens a group with those flags that .NET has too; the others are obeyed by the rewriting.
func dotNetFlags(on, off string) string {
	on, off = shared(on), shared(off)
	if off != "" {
		off = "-" + off
	}
	return "(?" + on + off + ":"
}

func shared(flags string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune("ims", c) {
			return c
		}
		return -1
	}, flags)
}
