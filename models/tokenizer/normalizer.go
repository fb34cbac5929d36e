package tokenizer

import (
	"fmt"
	"strings"
	"unicode"
)

// A normalizer rewrites a text before it is split.
type normalizer interface {
	normalize(t text) (text, error)
}

// newNormalizer builds the normalizer that a part of a file describes; a missing one changes nothing.
func newNormalizer(c config) (normalizer, error) {
	if c.absent() {
		return normalizers{}, nil
	}
	kind, err := c.kind()
	if err != nil {
		return nil, err
	}
	switch kind {
	case "Sequence":
		return newNormalizers(c)
	case "BertNormalizer":
		return newBertNormalizer(c)
	case "NFC", "NFD", "NFKC", "NFKD":
		return forms[kind], nil
	case "Lowercase":
		return simple(lowercase), nil
	case "StripAccents":
		return simple(func(t text) text { return t.without(marks()) }), nil
	case "Nmt":
		return simple(nmt), nil
	case "Strip":
		return newStrip(c)
	case "Prepend":
		return newPrepend(c)
	case "Replace":
		return newReplace(c)
	case "ByteLevel":
		return simple(func(t text) text { t.raw = true; return t.plain() }), nil
	case "Precompiled":
		return newPrecompiled(c)
	}
	return nil, c.unknown(kind, "Sequence", "BertNormalizer", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "Strip", "Prepend",
		"Replace", "ByteLevel", "Precompiled")
}

// simple is a normalizer that cannot fail.
type simple func(text) text

func (f simple) normalize(t text) (text, error) { return f(t), nil }

// normalizers work one after the other.
type normalizers []normalizer

// newNormalizers makes one list of lists within lists, so that the growth of a text is bounded as a whole.
func newNormalizers(c config) (normalizer, error) {
	all, err := parts(c, "normalizers", newNormalizer)
	var flat normalizers
	for _, n := range all {
		if inner, ok := n.(normalizers); ok {
			flat = append(flat, inner...)
		} else {
			flat = append(flat, n)
		}
	}
	return flat, err
}

func (all normalizers) normalize(t text) (text, error) {
	limit := growthLimit(len(t.s))
	var err error
	for _, n := range all {
		if t, err = n.normalize(t); err != nil {
			return text{}, err
		}
		if len(t.s) > limit {
			return text{}, fmt.Errorf("a normalizer makes a text longer than %d bytes", limit)
		}
	}
	return t, nil
}

// growthLimit returns to how many bytes a text of n may grow: a few rules of a file, one after the other, could ask for any number.
func growthLimit(n int) int { return 1<<16 + 32*n }

// maxContent bounds what is put in a text at one place, in bytes. In published files it is one character.
const maxContent = 256

func checkContent(c config, content string) error {
	if len(content) > maxContent {
		return c.errorf("found a replacement of %d bytes, expected at most %d", len(content), maxContent)
	}
	return nil
}

// lowercase works on single characters: a final sigma is like any other.
func lowercase(t text) text {
	if strings.ContainsRune(t.s, 'İ') {
		t = dotted(t)
	}
	return t.mapRunes(lower)
}

// dotted writes İ as i and a dot above, the only lower-case form of two characters.
func dotted(t text) text {
	w := rewrite(t, 0)
	for w.more() {
		if w.peek() == 'İ' {
			w.replace('i')
			w.insert('\u0307')
		} else {
			w.replace(w.peek())
		}
	}
	return w.text()
}

// nmt cleans a text as SentencePiece's models for translation do.
func nmt(t text) text {
	return t.mapRunes(func(c rune) rune {
		switch {
		case nmtDropped().has(c):
			return -1
		case nmtSpaces().has(c):
			return ' '
		}
		return c
	})
}

// strip takes white space off the ends.
type strip struct{ left, right bool }

func newStrip(c config) (normalizer, error) {
	v := struct {
		Left  bool `json:"strip_left"`
		Right bool `json:"strip_right"`
	}{true, true}
	err := c.read(&v)
	return strip{v.Left, v.Right}, err
}

func (n strip) normalize(t text) (text, error) {
	if n.right {
		t = t.slice(0, len(strings.TrimRightFunc(t.s, unicode.IsSpace)))
	}
	if kept := strings.TrimLeftFunc(t.s, unicode.IsSpace); n.left && kept != t.s {
		w := rewrite(t, 0) // unlike a slice, it still begins where t does
		for len(t.s)-w.pos > len(kept) {
			w.drop()
		}
		w.copy(len(kept))
		t = w.text()
	}
	return t, nil
}

func newPrepend(c config) (normalizer, error) {
	var v struct{ Prepend string }
	if err := c.read(&v); err != nil {
		return nil, err
	}
	return simple(func(t text) text { return t.prepend(v.Prepend) }), checkContent(c, v.Prepend)
}

// replace puts content in the place of each match; it comes from the last character that it replaces.
type replace struct {
	pattern pattern
	content string
}

func newReplace(c config) (replace, error) {
	var v struct {
		Pattern patternConfig
		Content string
	}
	if err := c.read(&v); err != nil {
		return replace{}, err
	}
	if err := checkContent(c, v.Content); err != nil {
		return replace{}, err
	}
	p, err := v.Pattern.compile(c)
	return replace{p, v.Content}, err
}

func (n replace) normalize(t text) (text, error) {
	cuts, err := n.pattern.cuts(nil, t.s)
	if err != nil || len(cuts) == 0 || len(cuts) == 1 && !cuts[0].match {
		return t, err
	}
	w := rewrite(t, 0)
	for _, c := range cuts {
		if c.match {
			n.put(w, c.hi)
		} else {
			w.copy(c.hi - c.lo)
		}
	}
	return w.text(), nil
}

// put replaces everything up to end.
func (n replace) put(w *rewriter, end int) {
	for w.pos < end {
		w.drop()
	}
	for _, c := range n.content {
		w.insert(c)
	}
}
