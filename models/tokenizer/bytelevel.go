package tokenizer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The byte alphabet of GPT-2 writes each byte as one visible character: the visible ones of Latin-1 as themselves, the others, space as Ġ, from U+0100 on.
var (
	byteRunes   = makeByteRunes()
	byteStrings = makeByteStrings()
	runeBytes   = makeRuneBytes()
)

func makeByteRunes() (all [256]rune) {
	next := rune(256)
	for b := range all {
		all[b] = rune(b)
		if b <= ' ' || '~' < b && b <= '\u00a0' || b == '\u00ad' {
			all[b] = next
			next++
		}
	}
	return all
}

func makeByteStrings() (all [256]string) {
	for b, c := range byteRunes {
		all[b] = string(c)
	}
	return all
}

func makeRuneBytes() map[rune]byte {
	all := make(map[rune]byte, 256)
	for b, c := range byteRunes {
		all[c] = byte(b)
	}
	return all
}

// plain writes a raw text in the byte alphabet.
func (t text) plain() text {
	if !t.raw {
		return t
	}
	var s strings.Builder
	var from []span
	for i := range len(t.s) {
		s.WriteString(byteStrings[t.s[i]])
		at := t.span(i, i+1)
		for range len(byteStrings[t.s[i]]) {
			from = append(from, at)
		}
	}
	return text{s: s.String(), from: from, start: t.start}
}

// byteLevel has the model see bytes, each as a character of the byte alphabet; it splits, trims offsets after the model, and turns bytes into text again.
type byteLevel struct {
	prefixSpace, trimOffsets bool
	words                    *regex // nil: it does not split
}

// byteLevelWords is how GPT-2 splits: contractions, then words, numbers and signs, each with the space before it, and the white space that is left.
const byteLevelWords = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

func newByteLevel(c config) (*byteLevel, error) {
	v := struct {
		Prefix bool `json:"add_prefix_space"`
		Trim   bool `json:"trim_offsets"`
		Regex  bool `json:"use_regex"`
	}{true, true, true}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	b := &byteLevel{prefixSpace: v.Prefix, trimOffsets: v.Trim}
	if v.Regex {
		var err error
		if b.words, err = compileRegex(byteLevelWords); err != nil {
			return nil, c.errorf("%w", err)
		}
	}
	return b, nil
}

func (b *byteLevel) split(p *pieces, t text) error {
	if b.prefixSpace && !strings.HasPrefix(t.s, " ") {
		t = t.prepend(" ")
	}
	t.raw = true
	if b.words == nil {
		p.add(t)
		return nil
	}
	return p.split(t, b.words, isolated)
}

// decode joins the bytes that the tokens stand for. A token with a character outside of the alphabet stands for itself.
func (b *byteLevel) decode(tokens []string) []string {
	var out []byte
	for _, token := range tokens {
		n := len(out)
		for _, c := range token {
			v, ok := runeBytes[c]
			if !ok {
				out = append(out[:n], token...)
				break
			}
			out = append(out, v)
		}
	}
	return []string{validText(out)}
}

// validText makes text of bytes, with one U+FFFD for each longest piece that could begin a character but does not go on as one.
func validText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	for len(b) > 0 {
		c, size := utf8.DecodeRune(b)
		if c == utf8.RuneError && size == 1 {
			size = brokenLen(b)
		}
		s.WriteRune(c)
		b = b[size:]
	}
	return s.String()
}

// brokenLen returns how many bytes at the start of b, which is not valid, could begin one character.
func brokenLen(b []byte) int {
	n := 1
	for n < len(b) && n < 4 && !utf8.FullRune(b[:n]) && !utf8.FullRune(b[:n+1]) {
		n++
	}
	return n
}

func (b *byteLevel) added(bool) int { return 0 }

func (b *byteLevel) process(parts []Encoding, _ bool) []Encoding {
	if b.trimOffsets {
		for i := range parts {
			parts[i].each(func(e *Encoding) { trimOffsets(e, b.prefixSpace) })
		}
	}
	return parts
}

// trimOffsets takes the white space at the ends of tokens out of their offsets, but not a space that add_prefix_space may have put before the text.
func trimOffsets(e *Encoding, prefixSpace bool) {
	isSpace := func(c rune) bool { return c == byteRunes[' '] || unicode.IsSpace(c) }
	e.Offsets = slices.Clone(e.Offsets) // pieces of the overflow share them
	for i, token := range e.Tokens {
		left := utf8.RuneCountInString(token) - utf8.RuneCountInString(strings.TrimLeftFunc(token, isSpace))
		right := utf8.RuneCountInString(token) - utf8.RuneCountInString(strings.TrimRightFunc(token, isSpace))
		at := &e.Offsets[i]
		if left == 1 && prefixSpace && (i == 0 || at[0] == 0) {
			left = 0
		}
		at[0] = min(at[0]+left, at[1])
		if at[1] >= right {
			at[1] = max(at[1]-right, at[0])
		}
	}
}
