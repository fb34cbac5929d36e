package tokenizer

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

// A wordCache remembers the tokens of words, as most words of a text were seen before. It has a fixed number of places, one for all words with a hash;
// a word that comes later takes the place of the one before. Any number of goroutines may use it.
type wordCache struct {
	places [2][]atomic.Pointer[cachedWord] // of words in characters, and in bytes
	seed   maphash.Seed
}

type cachedWord struct {
	word   string
	tokens []token
}

// The size of a wordCache, and the longest word, in bytes, that is kept.
const (
	cachePlaces = 1 << 14
	cacheLength = 64
)

func (c *wordCache) init() {
	c.seed = maphash.MakeSeed()
	for i := range c.places {
		c.places[i] = make([]atomic.Pointer[cachedWord], cachePlaces)
	}
}

func (c *wordCache) place(word string, raw bool) *atomic.Pointer[cachedWord] {
	kind := 0
	if raw {
		kind = 1
	}
	return &c.places[kind][maphash.String(c.seed, word)%cachePlaces]
}

func (c *wordCache) get(word string, raw bool) ([]token, bool) {
	if len(word) > cacheLength {
		return nil, false
	}
	if known := c.place(word, raw).Load(); known != nil && known.word == word {
		return known.tokens, true
	}
	return nil, false
}

func (c *wordCache) put(word string, raw bool, tokens []token) {
	if len(word) <= cacheLength {
		c.place(word, raw).Store(&cachedWord{strings.Clone(word), slices.Clone(tokens)})
	}
}
