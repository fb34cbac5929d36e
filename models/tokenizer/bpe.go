package tokenizer

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// bpe begins with the characters of a piece, or with its bytes in the byte alphabet, and joins neighbours in the order of a list of merges, until no pair of
// neighbours is on the list (Sennrich, Haddow and Birch 2016, https://arxiv.org/abs/1508.07909). Dropout, which is for training, does not act.
type bpe struct {
	vocabulary
	merges       *mergeTable
	prefix       string // before each character but the first
	suffix       string // behind the last character
	unknown      *string
	fuse         bool // unknown characters next to each other are one token
	bytes        bool // characters that are not in the vocabulary are written in byte tokens
	whole        bool // a piece that is in the vocabulary is one token, however the merges would make it
	letters      [2][256]int32
	cut          bool // no token has a mark behind something else, so that pieces can be cut before marks
	cache        wordCache
	scratchSpace sync.Pool
}

// mark is the character that stands for a space in models without bytes.
const mark = '▁'

func newBPE(c modelConfig) (model, vocabulary, error) {
	var v struct {
		Unknown *string `json:"unk_token"`
		Prefix  string  `json:"continuing_subword_prefix"`
		Suffix  string  `json:"end_of_word_suffix"`
		Fuse    bool    `json:"fuse_unk"`
		Bytes   bool    `json:"byte_fallback"`
		Whole   bool    `json:"ignore_merges"`
	}
	if err := c.read(&v); err != nil {
		return nil, vocabulary{}, err
	}
	vocab, err := readVocabulary(c.config, c.vocab)
	if err != nil {
		return nil, vocabulary{}, err
	}
	m := &bpe{vocabulary: vocab, prefix: v.Prefix, suffix: v.Suffix, unknown: v.Unknown, fuse: v.Fuse, bytes: v.Bytes, whole: v.Whole}
	if m.merges, err = readMerges(c.config, c.merges, vocab, len(v.Prefix)); err != nil {
		return nil, vocabulary{}, err
	}
	m.prepare()
	return m, vocab, nil
}

// prepare looks up what tokenize needs often.
func (m *bpe) prepare() {
	for b, letter := range byteStrings {
		m.letters[0][b] = m.idOr(letter, -1)
		m.letters[1][b] = m.idOr(letter+m.suffix, -1)
	}
	m.cut = m.prefix == "" && m.suffix == "" && !m.whole
	for _, token := range m.tokens {
		m.cut = m.cut && !marked(token)
	}
	m.cache.init()
	m.scratchSpace.New = func() any { return new(merging) }
}

// marked says whether a mark stands behind something else.
func marked(token string) bool {
	return strings.ContainsRune(strings.TrimLeft(token, string(mark)), mark)
}

func (v vocabulary) idOr(token string, otherwise int32) int32 {
	if id, ok := v.ids[token]; ok {
		return id
	}
	return otherwise
}

// rawBytes says that bytes need not be written in the byte alphabet; with a prefix, letters are not alike and it is done the long way.
func (m *bpe) rawBytes() bool { return m.prefix == "" }

func (m *bpe) tokenize(dst []token, t text) ([]token, error) {
	if !m.cut || t.raw {
		return m.word(dst, t.s, 0, t.raw)
	}
	var err error
	for lo, hi := 0, 0; lo < len(t.s) && err == nil; lo = hi {
		hi = lo + nextMark(t.s[lo:])
		dst, err = m.word(dst, t.s[lo:hi], int32(lo), false)
	}
	return dst, err
}

// nextMark returns where the first mark after something else is, or the length of s.
func nextMark(s string) int {
	head := len(s) - len(strings.TrimLeft(s, string(mark)))
	if i := strings.Index(s[head:], string(mark)); i >= 0 {
		return head + i
	}
	return len(s)
}

// word tokenizes a part of a piece that begins at start.
func (m *bpe) word(dst []token, s string, start int32, raw bool) ([]token, error) {
	first := len(dst)
	if known, ok := m.cache.get(s, raw); ok {
		dst = append(dst, known...)
	} else {
		var err error
		if dst, err = m.merge(dst, s, raw); err != nil {
			return nil, err
		}
		m.cache.put(s, raw, dst[first:])
	}
	for i := range dst[first:] {
		dst[first+i].lo += start
		dst[first+i].hi += start
	}
	return dst, nil
}

func (m *bpe) merge(dst []token, s string, raw bool) ([]token, error) {
	if m.whole {
		if id, ok := m.ids[(text{s: s, raw: raw}).plain().s]; ok {
			return append(dst, token{id, m.tokens[id], 0, int32(len(s))}), nil
		}
	}
	w := m.scratchSpace.Get().(*merging)
	defer m.scratchSpace.Put(w)
	w.symbols = w.symbols[:0]
	if raw {
		m.spellBytes(w, s)
	} else if err := m.spell(w, s); err != nil {
		return nil, err
	}
	w.run(m.merges)
	for i := range w.symbols {
		if y := &w.symbols[i]; y.id >= 0 {
			dst = append(dst, token{y.id, m.tokens[y.id], y.lo, y.hi})
		}
	}
	return dst, nil
}

// spellBytes begins a word with bytes. What has no token of its own is left out, as models of bytes have one for each.
func (m *bpe) spellBytes(w *merging, s string) {
	for i := range len(s) {
		last := 0
		if i == len(s)-1 {
			last = 1
		}
		if id := m.letters[last][s[i]]; id >= 0 {
			w.add(id, i, i+1)
		}
	}
}

// spell begins a word with characters.
func (m *bpe) spell(w *merging, s string) error {
	unknown := -1 // where a run of unknown characters begins
	for i := 0; i < len(s); {
		_, size := utf8.DecodeRuneInString(s[i:])
		letter := m.letter(s, i, i+size)
		if id, ok := m.ids[letter]; ok {
			unknown = -1
			w.add(id, i, i+size)
		} else if m.spellFallback(w, letter, i) {
			unknown = -1
		} else if unknown >= 0 && m.fuse {
			w.symbols[len(w.symbols)-1].hi = int32(i + size)
		} else if m.unknown != nil {
			if id, ok = m.ids[*m.unknown]; !ok {
				return unknownToken(*m.unknown, letter)
			}
			unknown = i
			w.add(id, i, i+size)
		}
		i += size
	}
	return nil
}

// letter returns the character at lo to hi with what marks its place in the word.
func (m *bpe) letter(s string, lo, hi int) string {
	letter := s[lo:hi]
	if lo > 0 && m.prefix != "" {
		letter = m.prefix + letter
	}
	if hi == len(s) && m.suffix != "" {
		letter += m.suffix
	}
	return letter
}

// spellFallback writes a character in byte tokens, if there is one for each byte.
func (m *bpe) spellFallback(w *merging, letter string, at int) bool {
	if !m.bytes {
		return false
	}
	n := len(w.symbols)
	for i := range len(letter) {
		id, ok := m.ids[byteToken(letter[i])]
		if !ok {
			w.symbols = w.symbols[:n]
			return false
		}
		w.add(id, at+i, at+i+1)
	}
	return true
}
