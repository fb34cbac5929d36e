package tokenizer

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
	"unicode/utf8"
)

// unigram knows how likely each token is and takes of all ways to write a piece in tokens the likeliest (Kudo 2018, https://arxiv.org/abs/1804.10959).
type unigram struct {
	vocabulary
	trie         *trie
	scores       []float64 // log-probabilities by id
	penalty      float64   // the score of an unknown character
	unknown      int32     // negative if there is none
	bytes        bool      // what is unknown is written in byte tokens
	cache        wordCache
	scratchSpace sync.Pool
}

func newUnigram(c modelConfig) (model, vocabulary, error) {
	var v struct {
		Unknown *int32 `json:"unk_id"`
		Bytes   bool   `json:"byte_fallback"`
	}
	if err := c.read(&v); err != nil {
		return nil, vocabulary{}, err
	}
	m := &unigram{unknown: -1, bytes: v.Bytes}
	if err := m.readScores(c.config, c.vocab); err != nil {
		return nil, vocabulary{}, err
	}
	if v.Unknown != nil {
		if *v.Unknown < 0 || int(*v.Unknown) >= len(m.scores) {
			return nil, vocabulary{}, c.errorf("found unk_id %d, expected 0 to %d", *v.Unknown, len(m.scores)-1)
		}
		m.unknown = *v.Unknown
	}
	m.trie = newTrie(m.keys())
	m.cache.init()
	m.scratchSpace.New = func() any { return new([]lastToken) }
	return m, m.vocabulary, nil
}

// readScores reads [["token", score], …]; of equal tokens the last counts.
func (m *unigram) readScores(c config, data json.RawMessage) error {
	const unknownPenalty = 10 // below the least likely token
	s := newScanner(c, "vocab", data)
	m.ids, m.penalty = map[string]int32{}, math.Inf(1)
	s.elements("[", "]", func() {
		s.expect("[")
		token := s.text()
		s.expect(",")
		score := s.float()
		s.expect("]")
		m.ids[token] = int32(len(m.tokens))
		m.tokens, m.scores = append(m.tokens, token), append(m.scores, score)
		m.penalty = min(m.penalty, score-unknownPenalty)
	})
	return s.err
}

func (m *unigram) rawBytes() bool { return false }

func (m *unigram) tokenize(dst []token, t text) ([]token, error) {
	if known, ok := m.cache.get(t.s, false); ok {
		return append(dst, known...), nil
	}
	path := m.scratchSpace.Get().(*[]lastToken)
	defer m.scratchSpace.Put(path)
	if err := m.search(path, t.s); err != nil {
		return nil, err
	}
	first := len(dst)
	for lo, hi := 0, 0; lo < len(t.s); lo = hi {
		hi = m.next(*path, lo)
		var err error
		if dst, err = m.add(dst, t.s, lo, hi, (*path)[hi].id); err != nil {
			return nil, err
		}
	}
	m.cache.put(t.s, false, dst[first:])
	return dst, nil
}

// A lastToken is the last of the tokens that lead in the likeliest way from the start of a piece to a place in it.
type lastToken struct {
	id    int32
	start int32 // where it begins; negative if no way leads there
	end   int32 // on the likeliest way through the whole piece, where the token that begins at this place ends
	score float64
}

// search finds the last token for every place, and the way through the whole piece (the algorithm of Viterbi).
func (m *unigram) search(path *[]lastToken, s string) error {
	p := (*path)[:0]
	for range len(s) + 1 {
		p = append(p, lastToken{start: -1})
	}
	*path = p
	for i := 0; i < len(s); {
		_, size := utf8.DecodeRuneInString(s[i:])
		if known := m.extend(p, s, i, size); !known {
			if m.unknown < 0 {
				return unknownToken("", s[i:i+size])
			}
			reach(p, i, i+size, m.unknown, m.penalty)
		}
		i += size
	}
	for end := int32(len(s)); end > 0; end = p[end].start {
		p[p[end].start].end = end
	}
	return nil
}

// extend goes on from i by each token that the rest begins with, and says whether one of them is the single next character.
func (m *unigram) extend(p []lastToken, s string, i, size int) (known bool) {
	node, ok := int32(0), true
	for j := i; j < len(s); j++ {
		if node, ok = m.trie.step(node, s[j]); !ok {
			break
		}
		if id := m.trie.value[node]; id >= 0 {
			reach(p, i, j+1, id, m.scores[id])
			known = known || j+1 == i+size
		}
	}
	return known
}

// reach takes the way to hi that ends in the given token, if it is likelier than the one known so far.
func reach(p []lastToken, lo, hi int, id int32, score float64) {
	score += p[lo].score
	if p[hi].start < 0 || score > p[hi].score {
		p[hi].id, p[hi].start, p[hi].score = id, int32(lo), score
	}
}

// next returns the end of the token that begins at lo; unknown ones next to each other are one.
func (m *unigram) next(p []lastToken, lo int) int {
	hi := p[lo].end
	for m.unknown >= 0 && p[hi].id == m.unknown && int(hi) < len(p)-1 && p[p[hi].end].id == m.unknown {
		hi = p[hi].end
	}
	return int(hi)
}

// add appends a token; one that is unknown may be in the vocabulary as a whole, or become byte tokens.
func (m *unigram) add(dst []token, s string, lo, hi int, id int32) ([]token, error) {
	if id != m.unknown {
		return append(dst, token{id, m.tokens[id], int32(lo), int32(hi)}), nil
	}
	value := strings.Clone(s[lo:hi])
	if known, ok := m.ids[value]; ok {
		id = known
	} else if m.bytes {
		if out, ok := m.addBytes(dst, value, lo, hi); ok {
			return out, nil
		}
	}
	return append(dst, token{id, value, int32(lo), int32(hi)}), nil
}

// addBytes appends byte tokens, if there is one for each byte.
func (m *unigram) addBytes(dst []token, value string, lo, hi int) ([]token, bool) {
	for i := range len(value) {
		name := byteToken(value[i])
		id, ok := m.ids[name]
		if !ok {
			return nil, false
		}
		dst = append(dst, token{id, name, int32(lo), int32(hi)})
	}
	return dst, true
}
