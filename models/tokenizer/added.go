package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An addedToken is a token that is found in a text before anything else is done with it.
type addedToken struct {
	ID         int32
	Content    string
	SingleWord bool   `json:"single_word"` // it does not stand next to a letter
	Left       bool   `json:"lstrip"`      // it takes white space on its left with it
	Right      bool   `json:"rstrip"`      // and on its right
	Normalized bool   // it is looked for in the text that the normalizer made, in its own normalized form
	Special    bool   // it is not a part of the text
	form       string // what is looked for, and what is decoded
	hidden     bool   // the form is that of a special token, which decoding can leave out
}

// addedTokens are found in two rounds, before and after the normalizer.
type addedTokens struct {
	byID       map[int32]*addedToken
	byContent  map[string]int32
	raw        tokenFinder
	normalized tokenFinder
}

// newAddedTokens reads the list of added tokens. The vocabulary's number of a token goes before the one in the list.
func newAddedTokens(c config, v vocabulary, n normalizer) (*addedTokens, error) {
	all := &addedTokens{byID: map[int32]*addedToken{}, byContent: map[string]int32{}}
	var list []addedToken
	if !c.absent() {
		if err := c.read(&list); err != nil {
			return nil, err
		}
	}
	for i := range list {
		if err := all.add(c, v, len(list), &list[i]); err != nil {
			return nil, err
		}
	}
	return all, all.index(list, n)
}

func (all *addedTokens) add(c config, v vocabulary, count int, t *addedToken) error {
	if id, ok := v.ids[t.Content]; ok {
		t.ID = id
	}
	if limit := 4*(len(v.ids)+count) + 1<<16; t.ID < 0 || int(t.ID) >= limit {
		return c.errorf("found id %d for %q, expected 0 to %d in a vocabulary of %d tokens", t.ID, t.Content, limit-1, len(v.ids))
	}
	if t.Content == "" {
		return c.errorf("found an empty token with the id %d", t.ID)
	}
	t.form = t.Content
	all.byID[t.ID] = t
	all.byContent[t.Content] = t.ID
	return nil
}

// index makes the finders of both rounds.
func (all *addedTokens) index(list []addedToken, n normalizer) error {
	var raw, normalized []trieKey
	for i := range list {
		t := &list[i]
		if !t.Normalized {
			raw = append(raw, trieKey{t.form, t.ID})
			continue
		}
		form, err := n.normalize(text{s: t.Content})
		if err != nil {
			return err
		}
		t.form = form.s
		normalized = append(normalized, trieKey{t.form, t.ID})
	}
	special := map[string]bool{}
	for _, t := range list {
		special[t.Content] = special[t.Content] || t.Special
	}
	for _, t := range all.byID {
		t.hidden = special[t.form]
	}
	all.raw, all.normalized = newTokenFinder(all.byID, raw), newTokenFinder(all.byID, normalized)
	return nil
}

// A tokenFinder finds tokens in a text.
type tokenFinder struct {
	byID  map[int32]*addedToken
	trie  *trie
	first [256]bool // the bytes with which tokens begin
	empty bool
}

func newTokenFinder(byID map[int32]*addedToken, keys []trieKey) tokenFinder {
	f := tokenFinder{byID: byID, trie: newTrie(keys), empty: true}
	for _, k := range keys {
		if k.key != "" {
			f.first[k.key[0]], f.empty = true, false
		}
	}
	return f
}

// A segment is a part of a text, or an added token in it.
type segment struct {
	text
	token *addedToken // nil if it is a part of the text
}

// split divides the text at the tokens in it: from the left, the longest where several begin at one place.
func (f *tokenFinder) split(dst []segment, t text) []segment {
	done := 0
	for i := 0; i < len(t.s) && !f.empty; {
		id, n := f.at(t.s, i)
		if n == 0 {
			i++
			continue
		}
		token := f.byID[id]
		if lo, hi, ok := token.extent(t.s, done, i, i+n); ok {
			dst = append(appendSegment(dst, t, done, lo), segment{t.slice(lo, hi), token})
			done = hi
		}
		i = max(i+n, done)
	}
	return appendSegment(dst, t, done, len(t.s))
}

// at returns the longest token that begins at i.
func (f *tokenFinder) at(s string, i int) (id int32, length int) {
	if !f.first[s[i]] {
		return 0, 0
	}
	return f.trie.longest(0, s[i:])
}

func appendSegment(dst []segment, t text, lo, hi int) []segment {
	if lo < hi {
		dst = append(dst, segment{t.slice(lo, hi), nil})
	}
	return dst
}

// extent returns what the token, found at lo to hi, takes of the text from done on; ok is false if it may not stand there.
func (t *addedToken) extent(s string, done, lo, hi int) (from, to int, ok bool) {
	if t.SingleWord && (lo > 0 && isWord(lastRune(s[:lo])) || hi < len(s) && isWord(firstRune(s[hi:]))) {
		return 0, 0, false
	}
	if t.Left {
		lo = done + len(strings.TrimRightFunc(s[done:lo], unicode.IsSpace))
	}
	if t.Right {
		hi = len(s) - len(strings.TrimLeftFunc(s[hi:], unicode.IsSpace))
	}
	return lo, hi, true
}

func firstRune(s string) rune {
	c, _ := utf8.DecodeRuneInString(s)
	return c
}
