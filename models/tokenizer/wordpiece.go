package tokenizer

import (
	"unicode/utf8"
)

// wordPiece takes from a word the longest token that it begins with, and goes on with the rest, whose tokens carry a prefix. A word that cannot be taken apart
// to its end is unknown as a whole (Wu et al. 2016, https://arxiv.org/abs/1609.08144).
type wordPiece struct {
	vocabulary
	trie     *trie
	inner    int32 // the node of the trie at which tokens within a word begin, negative if there are none
	unknown  string
	maxRunes int
}

func newWordPiece(c modelConfig) (model, vocabulary, error) {
	v := struct {
		Unknown  string `json:"unk_token"`
		Prefix   string `json:"continuing_subword_prefix"`
		MaxRunes int    `json:"max_input_chars_per_word"`
	}{"[UNK]", "##", 100}
	if err := c.read(&v); err != nil {
		return nil, vocabulary{}, err
	}
	vocab, err := readVocabulary(c.config, c.vocab)
	if err != nil {
		return nil, vocabulary{}, err
	}
	m := &wordPiece{vocabulary: vocab, trie: newTrie(vocab.keys()), unknown: v.Unknown, maxRunes: v.MaxRunes}
	var ok bool
	if m.inner, ok = m.trie.walk(0, v.Prefix); !ok {
		m.inner = -1
	}
	return m, vocab, nil
}

// keys returns the vocabulary for a trie.
func (v vocabulary) keys() []trieKey {
	keys := make([]trieKey, 0, len(v.ids))
	for token, id := range v.ids {
		keys = append(keys, trieKey{token, id})
	}
	return keys
}

func (m *wordPiece) rawBytes() bool { return false }

func (m *wordPiece) tokenize(dst []token, t text) ([]token, error) {
	if len(t.s) > m.maxRunes && utf8.RuneCountInString(t.s) > m.maxRunes {
		return m.whole(dst, t)
	}
	first := len(dst)
	node := int32(0)
	for lo := 0; lo < len(t.s); node = m.inner {
		id, n := int32(0), 0
		if node >= 0 {
			id, n = m.trie.longest(node, t.s[lo:])
		}
		if n == 0 {
			return m.whole(dst[:first], t)
		}
		dst = append(dst, token{id, m.tokens[id], int32(lo), int32(lo + n)})
		lo += n
	}
	return dst, nil
}

// whole appends the token for the unknown.
func (m *wordPiece) whole(dst []token, t text) ([]token, error) {
	id, ok := m.ids[m.unknown]
	if !ok {
		return nil, unknownToken(m.unknown, t.s)
	}
	return append(dst, token{id, m.unknown, 0, int32(len(t.s))}), nil
}

// wordLevel has a token for each word that it knows, and one for all others.
type wordLevel struct {
	vocabulary
	unknown string
}

func newWordLevel(c modelConfig) (model, vocabulary, error) {
	v := struct {
		Unknown string `json:"unk_token"`
	}{"<unk>"}
	if err := c.read(&v); err != nil {
		return nil, vocabulary{}, err
	}
	vocab, err := readVocabulary(c.config, c.vocab)
	return &wordLevel{vocab, v.Unknown}, vocab, err
}

func (m *wordLevel) rawBytes() bool { return false }

func (m *wordLevel) tokenize(dst []token, t text) ([]token, error) {
	value := t.s
	id, ok := m.ids[value]
	if !ok {
		value = m.unknown
		if id, ok = m.ids[value]; !ok {
			return nil, unknownToken(value, t.s)
		}
	}
	return append(dst, token{id, value, 0, int32(len(t.s))}), nil
}
