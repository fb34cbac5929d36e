package prefix

import (
	"errors"

	"peft/peft"
)

// A HubPrompt is prompt tuning as AdapterHub's library has it: rows without positions before what comes out of the embeddings, after their norm.
type HubPrompt struct {
	Name     string  // of the adapter, a part of its keys in files; empty means "prompt_tuning"
	Tokens   int     // rows, at least 1
	AfterBOS bool    // put them after the first token, which a classifier looks at, rather than before it
	IDs      []int32 // tokens whose embeddings the rows start from, cut or repeated to length; nil: uniformly within ±0.5
	Text     string  // that IDs are the tokens of
	Head     bool    // train the model's head whole
}

// Attach puts the rows into the stream.
func (c HubPrompt) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := within("Tokens", c.Tokens, 1, mostTokens); err != nil {
		return nil, err
	}
	h := embedded(s)
	if h == nil {
		return nil, errors.New("prefix: the model has no peft.Hidden after its embeddings")
	}
	q := peft.NewPatch(s)
	start := peft.Uniform(rng, c.Tokens*h.Size, 0.5)
	if len(c.IDs) > 0 || c.Text != "" {
		var err error
		if start, err = embeddings(s, c.IDs, c.Tokens, h.Size); err != nil {
			return nil, err
		}
	}
	r := inserted{source: flat{q.NewParam("prompt/prompt_embedding.weight", start, c.Tokens, h.Size)}}
	if c.AfterBOS {
		r.at = 1
	}
	q.Prepend(h, r)
	if c.Head {
		q.TrainHead()
	}
	return q, nil
}

// embedded is the stream after the embeddings: the first that there is before any attention.
func embedded(s *peft.Sites) *peft.Hidden {
	for x := range s.All() {
		switch x := x.(type) {
		case *peft.Hidden:
			return x
		case *peft.Attention:
			return nil
		}
	}
	return nil
}

// inserted are rows in the stream, after the first at of each sequence.
type inserted struct {
	source
	at int
}

func (r inserted) Forward(p *peft.Pass, _ peft.Tap) peft.Prepended {
	return peft.Prepended{X: r.rows(p), At: r.at}
}
