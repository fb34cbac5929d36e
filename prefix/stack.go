package prefix

import (
	"errors"
	"fmt"

	"peft/peft"
)

// A stack is what a sequence of rows goes through: where it enters, and the attentions in which it looks at itself.
type stack struct {
	input *peft.Sequence
	self  []*peft.Attention
}

// stacks are a model's: one, or encoder and decoder.
func stacks(s *peft.Sites) (all []stack, err error) {
	for x := range s.All() {
		switch x := x.(type) {
		case *peft.Sequence:
			all = append(all, stack{input: x})
		case *peft.Attention:
			if len(all) == 0 {
				return nil, errors.New("prefix: the model has no peft.Sequence before its attentions, where the positions of its input would make room")
			}
			if top := &all[len(all)-1]; !x.Cross {
				top.self = append(top.self, x)
			}
		}
	}
	if len(all) == 0 || len(all[0].self) == 0 {
		return nil, errors.New("prefix: the model has no peft.Sequence with attentions after it")
	}
	return all, nil
}

// sizes are those that Hugging Face's configurations state: what one row is for, by the model.
type sizes struct {
	Dim    int `json:"token_dim"`
	Layers int `json:"num_layers"`
	Heads  int `json:"num_attention_heads"`
	Stacks int `json:"num_transformer_submodules"`
}

// promptSizes are the sizes for rows of the input.
func promptSizes(all []stack) sizes {
	first := all[0]
	return sizes{Dim: first.input.Size, Layers: len(first.self), Heads: first.self[0].Heads, Stacks: len(all)}
}

// prefixSizes are the sizes for keys and values.
func prefixSizes(all []stack) sizes {
	n, a := promptSizes(all), all[0].self[0]
	n.Heads, n.Dim = a.KVHeads, a.KVHeads*a.HeadSize
	return n
}

// check compares the sizes with those that a configuration states; 0 states nothing.
func (n sizes) check(said sizes) error {
	for _, c := range []struct {
		field       string
		said, found int
	}{
		{"token_dim", said.Dim, n.Dim}, {"num_layers", said.Layers, n.Layers}, {"num_attention_heads", said.Heads, n.Heads},
		{"num_transformer_submodules", said.Stacks, n.Stacks},
	} {
		if c.said != 0 && c.said != c.found {
			return fmt.Errorf("prefix: the configuration says %s %d, the model has %d", c.field, c.said, c.found)
		}
	}
	return nil
}
