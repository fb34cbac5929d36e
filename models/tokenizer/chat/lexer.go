package chat

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A lexeme is a word of an expression.
type lexeme struct {
	kind  byte // n name, i number, s string, o operator, 0 the end
	text  string
	value any // of a number or a string
}

// operators, the longer before their beginnings.
var operators = []string{"**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|"}

// lexemes reads the words of an expression or a statement.
func lexemes(s string) []lexeme {
	var out []lexeme
	for {
		s = strings.TrimLeft(s, spaces)
		if s == "" {
			return append(out, lexeme{})
		}
		x, n := firstLexeme(s)
		out, s = append(out, x), s[n:]
	}
}

func firstLexeme(s string) (x lexeme, length int) {
	switch c := s[0]; {
	case isLetter(c):
		n := span(s, func(c byte) bool { return isLetter(c) || isDigit(c) })
		return lexeme{'n', s[:n], nil}, n
	case isDigit(c):
		n := numberLen(s)
		return lexeme{'i', s[:n], number(s[:n])}, n
	case c == '\'' || c == '"':
		n := stringEnd(s)
		if n >= len(s) {
			fail("found the string %.20q without its end", s)
		}
		return lexeme{'s', s[:n+1], unescaped(s[1:n])}, n + 1
	}
	for _, o := range operators {
		if strings.HasPrefix(s, o) {
			return lexeme{'o', o, nil}, len(o)
		}
	}
	c, _ := utf8.DecodeRuneInString(s)
	fail("found %q, which is not a part of an expression", c)
	return lexeme{}, 0
}

// numberLen returns the length of a number such as 12, 1.5 or 1e-3.
func numberLen(s string) int {
	n := span(s, isDigit)
	if n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]) {
		n += 1 + span(s[n+1:], isDigit)
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		sign := 0
		if n+1 < len(s) && (s[n+1] == '-' || s[n+1] == '+') {
			sign = 1
		}
		if digits := span(s[n+1+sign:], isDigit); digits > 0 {
			n += 1 + sign + digits
		}
	}
	return n
}

// span returns how many bytes at the start of s the function accepts.
func span(s string, f func(byte) bool) int {
	n := 0
	for n < len(s) && f(s[n]) {
		n++
	}
	return n
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// unescaped replaces the escapes of Python's strings.
func unescaped(s string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(s, `\`)
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		c, n := escape(rest)
		out.WriteString(c)
		s = rest[n:]
	}
}

// escape returns what an escape stands for, and the length of what follows its backslash.
func escape(s string) (string, int) {
	if s == "" {
		return `\`, 0
	}
	if i := strings.IndexByte("abfnrtv0'\"\\\n", s[0]); i >= 0 {
		return [...]string{"\a", "\b", "\f", "\n", "\r", "\t", "\v", "\x00", "'", `"`, `\`, ""}[i], 1
	}
	if n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]; n > 0 && len(s) > n {
		if c, err := strconv.ParseUint(s[1:n+1], 16, 32); err == nil && utf8.ValidRune(rune(c)) {
			return string(rune(c)), n + 1
		}
	}
	return `\` + s[:1], 1
}
