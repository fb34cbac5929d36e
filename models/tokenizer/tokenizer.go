package tokenizer

import (
	"encoding/json"
	"fmt"
	"sync"
)

// A Tokenizer turns text into tokens and back. It does not change, and any number of goroutines may use it.
type Tokenizer struct {
	vocabulary
	added      *addedTokens
	normalizer normalizer
	pre        preTokenizer
	model      model
	post       postProcessor
	decoder    decoder
	truncation *Truncation
	padding    *Padding
	size       int
	roles      map[string]string // the tokens that have a role, such as "pad"
	works      sync.Pool         // of *work
}

// file is a tokenizer.json.
type file struct {
	Truncation    json.RawMessage
	Padding       json.RawMessage
	AddedTokens   json.RawMessage `json:"added_tokens"`
	Normalizer    json.RawMessage
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage
	Model         map[string]json.RawMessage
}

// Parse reads the content of a tokenizer.json. Its errors say where in the file something unexpected was found.
func Parse(data []byte) (*Tokenizer, error) {
	var f file
	if err := (config{"tokenizer.json", data}).read(&f); err != nil {
		return nil, err
	}
	t := &Tokenizer{}
	if err := t.build(f); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return t, nil
}

// build makes all parts.
func (t *Tokenizer) build(f file) (err error) {
	m, err := newModelConfig("model", f.Model)
	if err != nil {
		return err
	}
	if t.model, t.vocabulary, err = newModel(m); err != nil {
		return err
	}
	if t.normalizer, err = newNormalizer(config{"normalizer", f.Normalizer}); err != nil {
		return err
	}
	if t.pre, err = newPreTokenizer(config{"pre_tokenizer", f.PreTokenizer}); err != nil {
		return err
	}
	if t.post, err = newPostProcessor(config{"post_processor", f.PostProcessor}); err != nil {
		return err
	}
	if t.decoder, err = newDecoder(config{"decoder", f.Decoder}); err != nil {
		return err
	}
	if t.truncation, err = newTruncation(config{"truncation", f.Truncation}); err != nil {
		return err
	}
	if t.padding, err = newPadding(config{"padding", f.Padding}); err != nil {
		return err
	}
	t.added, err = newAddedTokens(config{"added_tokens", f.AddedTokens}, t.vocabulary, t.normalizer)
	if err != nil {
		return err
	}
	t.size = len(t.tokens)
	for id := range t.added.byID {
		t.size = max(t.size, int(id)+1)
	}
	return nil
}

// VocabSize returns one more than the greatest id: the rows that a table of embeddings needs.
func (t *Tokenizer) VocabSize() int { return t.size }

// ID returns the number of a token, written as the vocabulary writes it.
func (t *Tokenizer) ID(token string) (id int32, ok bool) {
	if id, ok = t.added.byContent[token]; !ok {
		id, ok = t.ids[token]
	}
	return id, ok
}

// Token returns the token with the number, as the vocabulary writes it.
func (t *Tokenizer) Token(id int32) (token string, ok bool) {
	if a := t.added.byID[id]; a != nil {
		return a.Content, true
	}
	return t.token(id)
}

// IsSpecial says whether the id is that of a special token, one that [Tokenizer.Decode] leaves out.
func (t *Tokenizer) IsSpecial(id int32) bool {
	a := t.added.byID[id]
	return a != nil && a.Special
}

// Truncation returns the truncation that the file asks for, for use with [Truncate]; ok is false if it asks for none.
func (t *Tokenizer) Truncation() (cut Truncation, ok bool) {
	if t.truncation == nil {
		return Truncation{}, false
	}
	return *t.truncation, true
}

// Padding returns the padding that the file asks for, for use with [Pad]; ok is false if it asks for none.
func (t *Tokenizer) Padding() (pad Padding, ok bool) {
	if t.padding == nil {
		return Padding{}, false
	}
	return *t.padding, true
}

// conventional are the names that tokens with a role have where no file names them.
var conventional = map[string][]string{
	"pad": {"[PAD]", "<pad>", "<|pad|>"}, "unk": {"[UNK]", "<unk>"}, "cls": {"[CLS]", "<s>"}, "sep": {"[SEP]", "</s>"},
	"mask": {"[MASK]", "<mask>"}, "bos": {"<s>", "<bos>"}, "eos": {"</s>", "<eos>", "<|endoftext|>"},
}

// RoleID returns the id of the token with a role: "pad", "unk", "cls", "sep", "mask", "bos" or "eos". It is the one that tokenizer_config.json names, or
// else a special token with the usual name of the role.
func (t *Tokenizer) RoleID(role string) (id int32, ok bool) {
	if name, named := t.roles[role]; named {
		return t.ID(name)
	}
	for _, name := range conventional[role] {
		if id, ok = t.ID(name); ok && t.IsSpecial(id) {
			return id, true
		}
	}
	return 0, false
}

// PadID returns the id of the padding token: the one of the file's padding, or that with the role "pad".
func (t *Tokenizer) PadID() (id int32, ok bool) {
	if t.padding != nil {
		return t.padding.ID, true
	}
	return t.RoleID("pad")
}
