package chat

import "strings"

// A piece is a part of a template: text that is written as it stands, an expression {{ … }} or a statement {% … %}.
type piece struct {
	mark byte // 0 for text, else { or %
	text string
	line int
}

// pieces cuts a template up and leaves out comments, the newline after a statement, the spaces before one that is first in its line, and whatever a minus
// in the mark says.
func pieces(source string) []piece {
	c := &cutter{source: strings.TrimSuffix(source, "\n"), line: 1}
	for c.source != "" {
		start := c.tag()
		c.text(start)
		if start < len(c.source) {
			c.markup(start)
		} else {
			c.source = ""
		}
	}
	return c.out
}

// A cutter is what is left of a template.
type cutter struct {
	source string
	line   int
	out    []piece
	trim   byte // what the tag before says of the text: - to leave out all space, % the first newline
	inLine bool // something other than space stands before in the same line
}

// tag returns where the next tag begins, or the length of the source.
func (c *cutter) tag() int {
	for i := 0; i+1 < len(c.source); i++ {
		if c.source[i] == '{' && strings.IndexByte("{%#", c.source[i+1]) >= 0 {
			return i
		}
	}
	return len(c.source)
}

const spaces = " \t\r\n\f\v"

// text takes the text up to a tag.
func (c *cutter) text(end int) {
	s, line := c.source[:end], c.line
	c.line += strings.Count(s, "\n")
	switch c.trim {
	case '-':
		s = strings.TrimLeft(s, spaces)
	case '%':
		if rest, ok := strings.CutPrefix(s, "\n"); ok {
			s, c.inLine = rest, false
		}
	}
	if end < len(c.source) {
		s = c.before(s, c.source[end+1:])
	}
	if s != "" {
		c.out = append(c.out, piece{0, s, line})
	}
}

// before takes off the text what the tag that follows does not want.
func (c *cutter) before(s, tag string) string {
	sign := tag[1:min(2, len(tag))]
	blank := strings.TrimRight(s, " \t")
	first := blank == "" && !c.inLine || strings.HasSuffix(blank, "\n")
	switch {
	case sign == "-":
		return strings.TrimRight(s, spaces)
	case sign != "+" && tag[0] != '{' && first:
		return blank
	}
	return s
}

// markup takes a tag.
func (c *cutter) markup(start int) {
	mark := c.source[start+1]
	inside := c.source[start+2:]
	end := closing(inside, mark)
	if end < 0 {
		fail("line %d: found {%c without its end", c.line, mark)
	}
	body := strings.TrimPrefix(inside[:end], "+")
	if end > 0 {
		body = strings.TrimPrefix(inside[:end], "-")
		body = strings.TrimPrefix(body, "+")
	}
	c.trim, c.inLine = 0, true
	switch {
	case strings.HasSuffix(body, "-"):
		body, c.trim = body[:len(body)-1], '-'
	case strings.HasSuffix(body, "+"):
		body = body[:len(body)-1]
	case mark != '{':
		c.trim = '%'
	}
	if mark != '#' {
		c.out = append(c.out, piece{mark, body, c.line})
	}
	c.line += strings.Count(inside[:end], "\n")
	c.source = inside[end+2:]
}

// closing returns where the end of a tag begins, outside of strings and brackets; negative if there is none.
func closing(s string, mark byte) int {
	if mark == '#' {
		return strings.Index(s, "#}")
	}
	end := map[byte]string{'{': "}}", '%': "%}"}[mark]
	depth := 0
	for i := 0; i < len(s); i++ {
		if depth <= 0 && strings.HasPrefix(s[i:], end) {
			return i
		}
		switch s[i] {
		case '\'', '"':
			i += stringEnd(s[i:])
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
	}
	return -1
}

// stringEnd returns where the quote is that ends the string which s begins with.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i
		}
	}
	return len(s)
}
