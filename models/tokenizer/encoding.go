package tokenizer

import "slices"

// An Encoding is a text, or a pair of texts, as tokens. All lists have one element for each token.
type Encoding struct {
	// IDs are the tokens' numbers in the vocabulary.
	IDs []int32
	// Types tell the first text, 0, from the second, 1, as far as the model wants them told apart.
	Types []int32
	// Tokens are the tokens as the vocabulary writes them.
	Tokens []string
	// Offsets are where each token comes from: the numbers of its first character in the text and of the one after its last. Those of tokens that come
	// from no text are zero.
	Offsets [][2]int
	// Words are the numbers of the pieces of the text that the tokens are parts of, -1 for tokens that come from no text.
	Words []int
	// Special says which tokens come from no text.
	Special []bool
	// Mask says which tokens count: all but padding.
	Mask []bool
	// Overflow is what truncation cut off, if it was asked for.
	Overflow []Encoding
}

// Len returns the number of tokens.
func (e *Encoding) Len() int { return len(e.IDs) }

// newEncoding returns an encoding without tokens and with space for n.
func newEncoding(n int) Encoding {
	return Encoding{
		IDs:     make([]int32, 0, n),
		Types:   make([]int32, 0, n),
		Tokens:  make([]string, 0, n),
		Offsets: make([][2]int, 0, n),
		Words:   make([]int, 0, n),
		Special: make([]bool, 0, n),
		Mask:    make([]bool, 0, n),
	}
}

// add appends a token of a text.
func (e *Encoding) add(id int32, token string, from [2]int, word int, kind int32) {
	e.IDs = append(e.IDs, id)
	e.Types = append(e.Types, kind)
	e.Tokens = append(e.Tokens, token)
	e.Offsets = append(e.Offsets, from)
	e.Words = append(e.Words, word)
	e.Special = append(e.Special, false)
	e.Mask = append(e.Mask, true)
}

// slice returns the tokens lo to hi, which share memory with e.
func (e *Encoding) slice(lo, hi int) Encoding {
	return Encoding{
		IDs:     e.IDs[lo:hi:hi],
		Types:   e.Types[lo:hi:hi],
		Tokens:  e.Tokens[lo:hi:hi],
		Offsets: e.Offsets[lo:hi:hi],
		Words:   e.Words[lo:hi:hi],
		Special: e.Special[lo:hi:hi],
		Mask:    e.Mask[lo:hi:hi],
	}
}

// concat returns the tokens of all parts one after the other, without their overflow.
func concat(parts ...*Encoding) Encoding {
	n := 0
	for _, p := range parts {
		n += p.Len()
	}
	out := newEncoding(n)
	for _, p := range parts {
		out.IDs = append(out.IDs, p.IDs...)
		out.Types = append(out.Types, p.Types...)
		out.Tokens = append(out.Tokens, p.Tokens...)
		out.Offsets = append(out.Offsets, p.Offsets...)
		out.Words = append(out.Words, p.Words...)
		out.Special = append(out.Special, p.Special...)
		out.Mask = append(out.Mask, p.Mask...)
	}
	return out
}

// merge joins parts, and for the overflow every part and overflow of the one with every part and overflow of the other.
func merge(parts []Encoding) Encoding {
	if len(parts) == 0 {
		return newEncoding(0)
	}
	out := parts[0]
	for i := range parts[1:] {
		out = join(&out, &parts[1+i])
	}
	return out
}

func join(a, b *Encoding) Encoding {
	out := concat(a, b)
	for i := range a.Overflow {
		out.Overflow = append(out.Overflow, concat(&a.Overflow[i], b))
		for j := range b.Overflow {
			out.Overflow = append(out.Overflow, concat(&a.Overflow[i], &b.Overflow[j]))
		}
	}
	for j := range b.Overflow {
		out.Overflow = append(out.Overflow, concat(a, &b.Overflow[j]))
	}
	return out
}

// each calls f with the encoding and with all of its overflow.
func (e *Encoding) each(f func(*Encoding)) {
	f(e)
	for i := range e.Overflow {
		f(&e.Overflow[i])
	}
}

// setTypes gives all tokens one type.
func (e *Encoding) setTypes(kind int32) {
	e.Types = slices.Repeat([]int32{kind}, len(e.Types))
}
