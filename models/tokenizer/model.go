package tokenizer

import (
	"fmt"
)

// A model turns each piece of a text into tokens of its vocabulary.
type model interface {
	// tokenize appends the tokens of a piece that is not empty.
	tokenize(dst []token, t text) ([]token, error)
	// rawBytes says whether the model reads raw texts; others get them in the byte alphabet.
	rawBytes() bool
}

// A token is a part of a piece, and what the model makes of it.
type token struct {
	id     int32
	value  string
	lo, hi int32 // bytes of the piece
}

// A vocabulary numbers tokens.
type vocabulary struct {
	ids    map[string]int32
	tokens []string // by id; where a number is not used, ids does not lead back to it
}

// newVocabulary makes a vocabulary; the ids may have gaps, but not so large ones that a small file takes much memory.
func newVocabulary(c config, ids map[string]int32) (vocabulary, error) {
	limit := int32(4*len(ids) + 1<<16)
	last := int32(-1)
	for token, id := range ids {
		if id < 0 || id >= limit {
			return vocabulary{}, c.errorf("found id %d for token %q, expected 0 to %d in a vocabulary of %d tokens", id, token, limit-1, len(ids))
		}
		last = max(last, id)
	}
	v := vocabulary{ids, make([]string, last+1)}
	for token, id := range ids {
		if old := v.tokens[id]; old != "" && ids[old] == id {
			return vocabulary{}, c.errorf("found id %d for both %q and %q", id, min(old, token), max(old, token))
		}
		v.tokens[id] = token
	}
	return v, nil
}

// token returns the token with the id.
func (v vocabulary) token(id int32) (string, bool) {
	if id < 0 || int(id) >= len(v.tokens) {
		return "", false
	}
	token := v.tokens[id]
	known, ok := v.ids[token]
	return token, ok && known == id
}

// newModel builds the model that a part of a file describes. Older files do not say of which type it is.
func newModel(c config) (model, vocabulary, error) {
	kind, err := c.kind()
	if err != nil {
		return nil, vocabulary{}, err
	}
	if kind == "" {
		if kind, err = guessModel(c); err != nil {
			return nil, vocabulary{}, err
		}
	}
	switch kind {
	case "WordPiece":
		return newWordPiece(c)
	case "WordLevel":
		return newWordLevel(c)
	case "BPE":
		return newBPE(c)
	case "Unigram":
		return newUnigram(c)
	}
	return nil, vocabulary{}, c.unknown(kind, "WordPiece", "WordLevel", "BPE", "Unigram")
}

// guessModel tells models apart by the fields that only they have.
func guessModel(c config) (string, error) {
	var v struct {
		Merges any
		Scores any  `json:"unk_id"`
		Prefix *any `json:"continuing_subword_prefix"`
	}
	if err := c.read(&v); err != nil {
		return "", err
	}
	switch {
	case v.Merges != nil:
		return "BPE", nil
	case v.Scores != nil:
		return "Unigram", nil
	case v.Prefix != nil:
		return "WordPiece", nil
	default:
		return "WordLevel", nil
	}
}

// unknownToken is the error for a text that needs the token for the unknown where the vocabulary has none.
func unknownToken(name, piece string) error {
	return fmt.Errorf("%.40q has no token, and the token for the unknown, %q, is not in the vocabulary", piece, name)
}
