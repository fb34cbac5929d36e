package lora

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"peft/peft"
)

// TokenRows are rows of embeddings by the names of these; no name is the input embedding.
type TokenRows map[string][]int

// UnmarshalJSON reads null, a list of rows of the input embedding, or lists by name.
func (r *TokenRows) UnmarshalJSON(text []byte) error {
	*r = nil
	if bytes.HasPrefix(text, []byte("[")) {
		var rows []int
		err := json.Unmarshal(text, &rows)
		*r = TokenRows{"": rows}
		return err
	}
	return json.Unmarshal(text, (*map[string][]int)(r))
}

// MarshalJSON writes what UnmarshalJSON reads.
func (r TokenRows) MarshalJSON() ([]byte, error) {
	if rows, ok := r[""]; ok && len(r) == 1 {
		return json.Marshal(rows)
	}
	return json.Marshal(map[string][]int(r))
}

// train lets trained rows stand in beside another method's deltas.
func (r TokenRows) train(q *peft.Patch) error {
	names := slices.Sorted(maps.Keys(r))
	for _, name := range names {
		e, err := r.embedding(q.Sites(), name)
		if err != nil {
			return err
		}
		if err := trainRows(q, e, e.Name()+"/token_adapter."+rowsField, r[name], "", nil); err != nil {
			return err
		}
	}
	return nil
}

func (TokenRows) embedding(s *peft.Sites, name string) (*peft.Embedding, error) {
	if name == "" {
		return s.InputEmbedding()
	}
	sites, err := peft.Suffixes(name).Select(s)
	if err != nil {
		return nil, err
	}
	e, ok := sites[0].(*peft.Embedding)
	if !ok || len(sites) > 1 {
		return nil, fmt.Errorf("lora: trainable_token_indices: %s is not one embedding", name)
	}
	return e, nil
}
