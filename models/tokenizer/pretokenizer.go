package tokenizer

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A preTokenizer splits a text into the pieces that the model sees one at a time.
type preTokenizer interface {
	split(p *pieces, t text) error
}

// newPreTokenizer builds the pre-tokenizer that a part of a file describes; a missing one leaves texts whole.
func newPreTokenizer(c config) (preTokenizer, error) {
	if c.absent() {
		return preTokenizers{}, nil
	}
	kind, err := c.kind()
	if err != nil {
		return nil, err
	}
	switch kind {
	case "Sequence":
		return newPreTokenizers(c)
	case "BertPreTokenizer":
		return splitter(bertWords), nil
	case "ByteLevel":
		return newByteLevel(c)
	case "Metaspace":
		return newMetaspace(c)
	case "Split":
		return newSplit(c)
	case "Whitespace":
		return splitBy{inverted{words{}}, removed}, nil
	case "WhitespaceSplit":
		return splitBy{runes(unicode.IsSpace), removed}, nil
	case "Punctuation":
		return newPunctuation(c)
	case "Digits":
		return newDigits(c)
	case "CharDelimiterSplit":
		return newDelimiter(c)
	case "UnicodeScripts":
		return splitter(scripts), nil
	}
	return nil, c.unknown(kind, "Sequence", "BertPreTokenizer", "ByteLevel", "Metaspace", "Split", "Whitespace", "WhitespaceSplit", "Punctuation",
		"Digits", "CharDelimiterSplit", "UnicodeScripts")
}

// preTokenizers work one after the other, each on the pieces of the one before.
type preTokenizers []preTokenizer

func (all preTokenizers) split(p *pieces, t text) error {
	first, limit := len(p.all), growthLimit(len(t.s))
	p.add(t)
	for _, one := range all {
		before, size := slices.Clone(p.all[first:]), 0
		p.all = p.all[:first]
		for _, t := range before {
			if t = t.plain(); size+len(t.s) > limit {
				return fmt.Errorf("pre-tokenizers make a text longer than %d bytes", limit)
			}
			size += len(t.s)
			if err := one.split(p, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// newPreTokenizers makes one list of lists within lists.
func newPreTokenizers(c config) (preTokenizer, error) {
	all, err := parts(c, "pretokenizers", newPreTokenizer)
	var flat preTokenizers
	for _, one := range all {
		if inner, ok := one.(preTokenizers); ok {
			flat = append(flat, inner...)
		} else {
			flat = append(flat, one)
		}
	}
	return flat, err
}

// splitter is a pre-tokenizer that cannot fail.
type splitter func(p *pieces, t text)

func (f splitter) split(p *pieces, t text) error {
	f(p, t)
	return nil
}

// splitBy splits by a pattern.
type splitBy struct {
	pattern  pattern
	behavior behavior
}

func (s splitBy) split(p *pieces, t text) error { return p.split(t, s.pattern, s.behavior) }

func newSplit(c config) (preTokenizer, error) {
	var v struct {
		Pattern  patternConfig
		Behavior behavior
		Invert   bool
	}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	by, err := v.Pattern.compile(c)
	if err != nil {
		return nil, err
	}
	if v.Invert {
		by = inverted{by}
	}
	return splitBy{by, v.Behavior}, v.Behavior.check(c)
}

func newPunctuation(c config) (preTokenizer, error) {
	v := struct{ Behavior behavior }{isolated}
	if err := c.read(&v); err != nil {
		return nil, err
	}
	return splitBy{runes(isPunctuation), v.Behavior}, v.Behavior.check(c)
}

func isPunctuation(c rune) bool { return punctuation().has(c) }

func newDigits(c config) (preTokenizer, error) {
	var v struct {
		Individual bool `json:"individual_digits"`
	}
	err := c.read(&v)
	s := splitBy{runes(func(c rune) bool { return numbers().has(c) }), contiguous}
	if v.Individual {
		s.behavior = isolated
	}
	return s, err
}

func newDelimiter(c config) (preTokenizer, error) {
	var v struct{ Delimiter string }
	if err := c.read(&v); err != nil {
		return nil, err
	}
	_, err := single(c, "delimiter", v.Delimiter)
	return splitBy{literal(v.Delimiter), removed}, err
}

// bertWords leaves out white space and makes each punctuation sign a piece of its own.
func bertWords(p *pieces, t text) {
	start := 0
	for i := 0; i < len(t.s); {
		c, size := utf8.DecodeRuneInString(t.s[i:])
		space := unicode.IsSpace(c)
		if space || isPunctuation(c) {
			p.add(t.slice(start, i))
			start = i + size
			if !space {
				p.add(t.slice(i, start))
			}
		}
		i += size
	}
	p.add(t.slice(start, len(t.s)))
}

// words matches each run of letters, and each run of signs; white space is what it leaves out.
type words struct{}

func (words) cuts(dst []cut, s string) ([]cut, error) {
	for i, c := range s {
		kind, end := wordKind(c), i+utf8.RuneLen(c)
		if n := len(dst); i > 0 && wordKind(lastRune(s[:i])) == kind {
			dst[n-1].hi = end
		} else {
			dst = append(dst, cut{i, end, kind != wordSpace})
		}
	}
	return dst, nil
}

const (
	wordSpace = iota
	wordLetters
	wordSigns
)

func wordKind(c rune) int {
	switch {
	case isWord(c):
		return wordLetters
	case unicode.IsSpace(c):
		return wordSpace
	}
	return wordSigns
}

func lastRune(s string) rune {
	c, _ := utf8.DecodeLastRuneInString(s)
	return c
}

// scripts splits where the script changes; hiragana and katakana count as Chinese, spaces and characters without a script as any script.
func scripts(p *pieces, t text) {
	const anyScript = ""
	last, start, known := "none", 0, false
	for i, c := range t.s {
		script := japanese(c, last)
		if script != anyScript && script != last {
			if known {
				p.add(t.slice(start, i))
			}
			start, known = i, true
		}
		if script != anyScript {
			last = script
		}
	}
	if known {
		p.add(t.slice(start, len(t.s)))
	}
}

// japanese returns the script of c, with the scripts of Japanese taken together; last is what it is likely to be.
func japanese(c rune, last string) string {
	const longVowel = 'ー'
	if c == ' ' {
		return ""
	}
	script := scriptOf(c, last)
	if c == longVowel || script == "Hiragana" || script == "Katakana" {
		return "Han"
	}
	return script
}
