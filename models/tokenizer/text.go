package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A span is where something comes from: bytes of the original text, end excluded.
type span struct{ start, end int32 }

// A text is a piece of the input on its way to the model, which remembers for every byte the character of the original that it came from.
type text struct {
	s    string
	from []span // of each byte of s; nil as long as every character kept its size, so that byte i of s is byte start+i of the original
	// start is where the piece begins in the original.
	start int32
	// raw says that the model is to see s in the byte alphabet of [byteLevel]; nothing else may look into a raw text, see plain.
	raw bool
}

// span returns where the bytes lo to hi of the text come from; a part of a character comes from all of it.
func (t text) span(lo, hi int) span {
	if lo >= hi {
		return span{t.start + int32(lo), t.start + int32(lo)}
	}
	if t.from != nil {
		return span{t.from[lo].start, t.from[hi-1].end}
	}
	for lo > 0 && !utf8.RuneStart(t.s[lo]) {
		lo--
	}
	for hi < len(t.s) && !utf8.RuneStart(t.s[hi]) {
		hi++
	}
	return span{t.start + int32(lo), t.start + int32(hi)}
}

// slice returns the bytes lo to hi of the text, whole characters, without copying them.
func (t text) slice(lo, hi int) text {
	out := text{s: t.s[lo:hi], start: t.span(lo, hi).start, raw: t.raw}
	if t.from != nil {
		out.from = t.from[lo:hi]
	}
	return out
}

// A rewriter makes a new text out of an old one, character by character, and carries over where each came from.
type rewriter struct {
	in   text
	out  []byte
	from []span // of out; nil as in a text
	pos  int    // the bytes of in that are dealt with
	last int    // where the last character that was dealt with begins in it
}

// rewrite starts a new text with the first n bytes of t.
func rewrite(t text, n int) *rewriter {
	w := &rewriter{in: t, pos: n}
	w.out = append(make([]byte, 0, len(t.s)+len(t.s)/8+8), t.s[:n]...)
	if t.from != nil {
		w.from = append(make([]span, 0, cap(w.out)), t.from[:n]...)
	}
	if n > 0 {
		_, size := utf8.DecodeLastRuneInString(t.s[:n])
		w.last = n - size
	}
	return w
}

// text returns what was written.
func (w *rewriter) text() text {
	return text{s: string(w.out), from: w.from, start: w.in.start}
}

// more says whether characters of the old text are left.
func (w *rewriter) more() bool { return w.pos < len(w.in.s) }

// peek returns the next character of the old text.
func (w *rewriter) peek() rune {
	c, _ := utf8.DecodeRuneInString(w.in.s[w.pos:])
	return c
}

// replace writes c for the next character of the old text.
func (w *rewriter) replace(c rune) {
	size := w.next()
	if w.from == nil && utf8.RuneLen(c) != size {
		w.diverge(w.pos - size)
	}
	w.write(c)
}

// insert writes c as a part of the character before it.
func (w *rewriter) insert(c rune) {
	if w.from == nil {
		w.diverge(w.pos)
	}
	w.write(c)
}

// drop leaves out the next character of the old text.
func (w *rewriter) drop() {
	size := w.next()
	if w.from == nil {
		w.diverge(w.pos - size)
	}
}

// copy writes the next n bytes of the old text, whole characters, as they are.
func (w *rewriter) copy(n int) {
	if n == 0 {
		return
	}
	part := w.in.s[w.pos : w.pos+n]
	w.out = append(w.out, part...)
	if w.from != nil {
		w.from = appendSpans(w.from, w.in, w.pos, w.pos+n)
	}
	_, size := utf8.DecodeLastRuneInString(part)
	w.pos += n
	w.last = w.pos - size
}

func (w *rewriter) next() (size int) {
	_, size = utf8.DecodeRuneInString(w.in.s[w.pos:])
	w.last = w.pos
	w.pos += size
	return size
}

func (w *rewriter) write(c rune) {
	n := len(w.out)
	w.out = utf8.AppendRune(w.out, c)
	if w.from != nil {
		at := w.in.span(w.last, w.pos)
		for range len(w.out) - n {
			w.from = append(w.from, at)
		}
	}
}

// diverge writes down where the first n bytes, so far the same as those of the old text in place, came from.
func (w *rewriter) diverge(n int) {
	w.from = appendSpans(make([]span, 0, cap(w.out)), w.in, 0, n)
}

// appendSpans appends where the bytes lo to hi of t come from.
func appendSpans(dst []span, t text, lo, hi int) []span {
	if t.from != nil {
		return append(dst, t.from[lo:hi]...)
	}
	for i := lo; i < hi; {
		_, size := utf8.DecodeRuneInString(t.s[i:])
		at := span{t.start + int32(i), t.start + int32(i+size)}
		for range size {
			dst = append(dst, at)
		}
		i += size
	}
	return dst
}

// mapRunes replaces each character c of the text by f(c), or leaves it out if that is negative.
func (t text) mapRunes(f func(rune) rune) text {
	first := strings.IndexFunc(t.s, func(c rune) bool { return f(c) != c })
	if first < 0 {
		return t
	}
	w := rewrite(t, first)
	for w.more() {
		if c := f(w.peek()); c >= 0 {
			w.replace(c)
		} else {
			w.drop()
		}
	}
	return w.text()
}

// without leaves out the characters of the set.
func (t text) without(s *set) text {
	return t.mapRunes(func(c rune) rune {
		if s.has(c) {
			return -1
		}
		return c
	})
}

// prepend puts prefix before the text, as a part of its first character; an empty text stays empty.
func (t text) prepend(prefix string) text {
	if t.s == "" || prefix == "" {
		return t
	}
	_, size := utf8.DecodeRuneInString(t.s)
	from := slices.Repeat([]span{t.span(0, size)}, len(prefix))
	return text{s: prefix + t.s, from: appendSpans(from, t, 0, len(t.s)), start: t.start}
}
