package tokenizer

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A form is one of the normal forms of Unicode. The library norm finds what is not in the form and knows the characters; it is put in order here, because
// norm does not say which character came from which, and breaks up long runs of marks.
type form struct {
	whole, apart norm.Form
	compose      bool
	kept         func() *set // what does not decompose, although norm says so
}

var (
	nfd   = form{norm.NFD, norm.NFD, false, undecomposed}
	forms = map[string]form{
		"NFD":  nfd,
		"NFC":  {norm.NFC, norm.NFD, true, undecomposed},
		"NFKD": {norm.NFKD, norm.NFKD, false, compatKept},
		"NFKC": {norm.NFKC, norm.NFKD, true, compatKept},
	}
)

func (f form) normalize(t text) (text, error) { return f.apply(t), nil }

func (f form) apply(t text) text {
	n := f.whole.QuickSpanString(t.s)
	if n == len(t.s) {
		return t
	}
	w := rewrite(t, n)
	for w.more() {
		f.segment(w)
		w.copy(f.whole.QuickSpanString(t.s[w.pos:]))
	}
	return w.text()
}

// A formRune is a character of a segment. It stands for 1-extra characters of the old text: 0 extra if it replaces one, 1 if it is a further part of the
// one before it, fewer than 0 if it also takes the place of others.
type formRune struct {
	c     rune
	class uint8 // the combining class
	extra int
}

// segment brings the next characters into the form, those that can act on each other.
func (f form) segment(w *rewriter) {
	all := f.decompose(w.in.s[w.pos : w.pos+f.boundary(w.in.s[w.pos:])])
	reorder(all)
	if f.compose {
		all = f.recompose(all)
	}
	for _, r := range all {
		if r.extra > 0 {
			w.insert(r.c)
			continue
		}
		w.replace(r.c)
		for range -r.extra {
			w.drop()
		}
	}
}

// boundary returns the length of the first segment of s.
func (f form) boundary(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	for n < len(s) && !f.whole.PropertiesString(s[n:]).BoundaryBefore() {
		_, size := utf8.DecodeRuneInString(s[n:])
		n += size
	}
	return n
}

func (f form) decompose(s string) []formRune {
	var all []formRune
	var buf [64]byte
	for i, c := range s {
		parts := f.apart.AppendString(buf[:0], s[i:i+utf8.RuneLen(c)])
		if f.kept().has(c) {
			parts = utf8.AppendRune(buf[:0], c)
		}
		extra := 0
		for len(parts) > 0 {
			d, size := utf8.DecodeRune(parts)
			all = append(all, formRune{d, norm.NFD.Properties(parts).CCC(), extra})
			parts, extra = parts[size:], 1
		}
	}
	return all
}

// reorder sorts each run of combining marks by class.
func reorder(all []formRune) {
	for len(all) > 0 {
		n := 0
		for n < len(all) && all[n].class != 0 {
			n++
		}
		slices.SortStableFunc(all[:n], func(a, b formRune) int { return int(a.class) - int(b.class) })
		all = all[min(n+1, len(all)):]
	}
}

// recompose joins characters with the starter before them wherever nothing that stands between blocks them.
func (f form) recompose(all []formRune) []formRune {
	var out []formRune
	starter := -1
	for _, r := range all {
		if starter >= 0 && (starter == len(out)-1 || out[len(out)-1].class < r.class) {
			if c, ok := f.pair(out[starter].c, r.c); ok {
				out[starter].c = c
				out[starter].extra += r.extra - 1
				continue
			}
		}
		if r.class == 0 {
			starter = len(out)
		}
		out = append(out, r)
	}
	return out
}

// pair returns the character that is composed of a and b.
func (f form) pair(a, b rune) (rune, bool) {
	var buf [16]byte
	out := norm.NFC.AppendString(buf[:0], string([]rune{a, b}))
	c, size := utf8.DecodeRune(out)
	return c, size == len(out) && !f.kept().has(c)
}
