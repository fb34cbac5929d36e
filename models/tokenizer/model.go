package tokenizer

import (
	"encoding/json"
	"fmt"
	"maps"
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

// A modelConfig is the part of a file that describes the model; its two large lists stand apart, so that they are read only once.
type modelConfig struct {
	config
	vocab, merges json.RawMessage
}

// newModelConfig takes the large lists out of the fields.
func newModelConfig(path string, fields map[string]json.RawMessage) (modelConfig, error) {
	if fields == nil {
		return modelConfig{config: config{path: path}}, nil
	}
	small := maps.Clone(fields)
	delete(small, "vocab")
	delete(small, "merges")
	data, err := json.Marshal(small)
	return modelConfig{config{path, data}, fields["vocab"], fields["merges"]}, err
}

// newModel builds the model that a part of a file describes. Older files do not say of which type it is.
func newModel(c modelConfig) (model, vocabulary, error) {
	kind, err := c.kind()
	if err == nil && kind == "" {
		kind, err = guessModel(c)
	}
	if err != nil {
		return nil, vocabulary{}, err
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
func guessModel(c modelConfig) (string, error) {
	var v map[string]json.RawMessage
	err := c.read(&v)
	switch {
	case c.merges != nil:
		return "BPE", err
	case v["unk_id"] != nil:
		return "Unigram", err
	case v["continuing_subword_prefix"] != nil:
		return "WordPiece", err
	default:
		return "WordLevel", err
	}
}

// unknownToken is the error for a text that needs the token for the unknown where the vocabulary has none.
func unknownToken(name, piece string) error {
	return fmt.Errorf("%.40q has no token, and the token for the unknown, %q, is not in the vocabulary", piece, name)
}
