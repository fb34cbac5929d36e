package tokenizer

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A scanner reads the large lists of a tokenizer file, in JSON that is known to be well formed, many times as fast as reflection does. The strings that it
// returns share the memory of the file.
type scanner struct {
	config
	s   string
	pos int
	err error
}

func newScanner(c config, key string, data json.RawMessage) *scanner {
	s := &scanner{config: config{c.path + "." + key, data}, s: string(data)}
	if s.absent() {
		s.fail("found nothing, expected the list")
	}
	return s
}

// fail keeps the first error and ends the reading.
func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = s.errorf(format, args...)
	}
	s.pos = len(s.s)
}

// peek returns the next byte that is not a space, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.s) {
		if c := s.s[s.pos]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		s.pos++
	}
	return 0
}

// expect skips one of the given bytes and returns it.
func (s *scanner) expect(bytes string) byte {
	c := s.peek()
	if c == 0 || strings.IndexByte(bytes, c) < 0 {
		s.fail("found %.20q at byte %d, expected %q", s.s[s.pos:], s.pos, bytes)
		return 0
	}
	s.pos++
	return c
}

// elements calls f at each element between the brackets open and shut.
func (s *scanner) elements(open, shut string, f func()) {
	s.expect(open)
	if s.peek() == shut[0] {
		s.expect(shut)
		return
	}
	for s.err == nil {
		f()
		if s.expect(","+shut) == shut[0] {
			return
		}
	}
}

// text reads a string.
func (s *scanner) text() string {
	if s.expect(`"`) == 0 {
		return ""
	}
	start := s.pos
	for s.pos < len(s.s) && s.s[s.pos] != '"' {
		if s.s[s.pos] == '\\' {
			s.pos++
		}
		s.pos++
	}
	if s.pos >= len(s.s) {
		s.fail("found a string without an end")
		return ""
	}
	s.pos++
	plain := s.s[start : s.pos-1]
	if strings.IndexByte(plain, '\\') < 0 && utf8.ValidString(plain) {
		return plain
	}
	return s.escaped(s.s[start-1 : s.pos])
}

func (s *scanner) escaped(quoted string) (out string) {
	if err := json.Unmarshal([]byte(quoted), &out); err != nil {
		s.fail("%w", err)
	}
	return out
}

// number reads the digits of a number.
func (s *scanner) number() string {
	s.peek()
	start := s.pos
	for s.pos < len(s.s) && strings.IndexByte("+-.0123456789eE", s.s[s.pos]) >= 0 {
		s.pos++
	}
	return s.s[start:s.pos]
}

// id reads a token's number.
func (s *scanner) id() int32 {
	digits := s.number()
	id, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || id < 0 {
		s.fail("found %.20q at byte %d, expected an id from 0 to %d", s.s[s.pos-len(digits):], s.pos-len(digits), math.MaxInt32)
	}
	return int32(id)
}

// float reads a score.
func (s *scanner) float() float64 {
	digits := s.number()
	v, ok := parseScore(digits)
	if !ok {
		s.fail("found %.20q at byte %d, expected a number", s.s[s.pos-len(digits):], s.pos-len(digits))
	}
	return v
}

// readVocabulary reads {"token": id, …}.
func readVocabulary(c config, data json.RawMessage) (vocabulary, error) {
	s := newScanner(c, "vocab", data)
	ids := make(map[string]int32, len(data)/24)
	s.elements("{", "}", func() {
		token := s.text()
		s.expect(":")
		ids[token] = s.id()
	})
	if s.err != nil {
		return vocabulary{}, s.err
	}
	return newVocabulary(s.config, ids)
}
