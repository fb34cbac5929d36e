package tokenizer

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// An Option changes what Encode does.
type Option func(*options)

type options struct {
	plain bool // without special tokens
	bytes bool // offsets in bytes
	cut   *Truncation
}

// NoSpecial leaves out the special tokens that the file puts around a text, such as [CLS]. Those that the text itself contains stay.
func NoSpecial() Option { return func(o *options) { o.plain = true } }

// ByteOffsets gives [Encoding.Offsets] in bytes, so that text[o[0]:o[1]] is where a token comes from.
func ByteOffsets() Option { return func(o *options) { o.bytes = true } }

// MaxLength cuts what is longer than n tokens, special ones included. See [Truncate] for other ways to cut.
func MaxLength(n int) Option { return Truncate(Truncation{MaxLength: n}) }

// Truncate cuts what is too long.
func Truncate(t Truncation) Option { return func(o *options) { o.cut = &t } }

// Encode turns a text into tokens. It is an error if a pattern of the file takes too long on the text, if the text has something that the
// vocabulary has no token for, not even one for the unknown, if the text has more than 32 MiB, or if it cannot be cut as asked for.
//
// Bytes that are not UTF-8 count as U+FFFD each.
func (t *Tokenizer) Encode(text string, opts ...Option) (*Encoding, error) {
	return t.encode([]string{text}, opts)
}

// EncodePair turns two texts into the tokens of both, arranged as the file says.
func (t *Tokenizer) EncodePair(first, second string, opts ...Option) (*Encoding, error) {
	return t.encode([]string{first, second}, opts)
}

// EncodeBatch encodes many inputs on all processors. Each has one text, or two for a pair.
func (t *Tokenizer) EncodeBatch(inputs [][]string, opts ...Option) ([]*Encoding, error) {
	out := make([]*Encoding, len(inputs))
	errs := make([]error, len(inputs))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(inputs)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(inputs)); i = next.Add(1) - 1 {
				out[i], errs[i] = t.encode(inputs[i], opts)
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	return out, nil
}

func (t *Tokenizer) encode(texts []string, opts []Option) (*Encoding, error) {
	var o options
	for _, f := range opts {
		f(&o)
	}
	if len(texts) != 1 && len(texts) != 2 {
		return nil, fmt.Errorf("tokenizer: found an input of %d texts, expected 1 or 2", len(texts))
	}
	parts := make([]Encoding, len(texts))
	for i, s := range texts {
		if err := t.encodeText(&parts[i], s, int32(i), o); err != nil {
			return nil, fmt.Errorf("tokenizer: %w", err)
		}
	}
	if o.cut != nil {
		if err := o.cut.apply(parts, t.special(len(texts), o)); err != nil {
			return nil, fmt.Errorf("tokenizer: %w", err)
		}
	}
	e := merge(t.post.process(parts, !o.plain))
	return &e, nil
}

// special returns how many special tokens will be added.
func (t *Tokenizer) special(texts int, o options) int {
	if o.plain {
		return 0
	}
	return t.post.added(texts > 1)
}

// maxText bounds the texts, in bytes; places in a text, which may grow on its way, are numbers of 32 bits.
const maxText = 1 << 25

// encodeText turns one text into tokens of one type.
func (t *Tokenizer) encodeText(e *Encoding, s string, kind int32, o options) error {
	if len(s) > maxText {
		return fmt.Errorf("found a text of %d bytes, expected at most %d", len(s), maxText)
	}
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	*e = newEncoding(len(s)/3 + 4)
	w, ok := t.works.Get().(*work)
	if !ok {
		w = &work{Tokenizer: t}
	}
	defer t.works.Put(w)
	w.e, w.kind, w.word, w.at = e, kind, 0, offsetsIn(s, o.bytes)
	return w.text(text{s: s})
}

// offsetsIn returns the function that makes offsets of spans of s.
func offsetsIn(s string, bytes bool) func(span) [2]int {
	if bytes || utf8.RuneCountInString(s) == len(s) {
		return func(at span) [2]int { return [2]int{int(at.start), int(at.end)} }
	}
	chars := make([]int32, len(s)+1) // the characters before each byte
	n := int32(0)
	for i := range s {
		chars[i] = n
		n++
	}
	chars[len(s)] = n
	return func(at span) [2]int { return [2]int{int(chars[at.start]), int(chars[at.end])} }
}
