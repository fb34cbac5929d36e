package tokenizer

import (
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

func newNormalizers(c config) (normalizer, error) {
	all, err := parts(c, "normalizers", newNormalizer)
	return normalizers(all), err
}

func (all normalizers) normalize(t text) (text, error) {
	var err error
	for _, n := range all {
		if t, err = n.normalize(t); err != nil {
			return text{}, err
		}
	}
	return t, nil
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
	lo, hi := 0, len(t.s)
	if n.left {
		lo = hi - len(strings.TrimLeftFunc(t.s, unicode.IsSpace))
	}
	if n.right {
		hi = lo + len(strings.TrimRightFunc(t.s[lo:], unicode.IsSpace))
	}
	return t.slice(lo, hi), nil
}

func newPrepend(c config) (normalizer, error) {
	var v struct{ Prepend string }
	err := c.read(&v)
	return simple(func(t text) text { return t.prepend(v.Prepend) }), err
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
