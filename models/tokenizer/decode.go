package tokenizer

import "strings"

// Decode turns tokens back into text and leaves out special tokens such as [CLS]. Numbers that are not in the vocabulary are left out too. What
// normalizers changed stays changed: a tokenizer without capitals gives text without capitals.
func (t *Tokenizer) Decode(ids []int32) string { return t.decode(ids, true) }

// DecodeAll is Decode with special tokens written out.
func (t *Tokenizer) DecodeAll(ids []int32) string { return t.decode(ids, false) }

func (t *Tokenizer) decode(ids []int32, skip bool) string {
	tokens := make([]string, 0, len(ids))
	for _, id := range ids {
		if a := t.added.byID[id]; a == nil {
			if token, ok := t.token(id); ok {
				tokens = append(tokens, token)
			}
		} else if !skip || !a.hidden {
			tokens = append(tokens, a.form)
		}
	}
	return strings.Join(t.decoder.decode(tokens), "")
}
