package prefix

import (
	"cmp"

	"errors"
	"fmt"

	"peft/peft"
)

// A Prompt is prompt tuning: V virtual tokens before the input, of the encoder where there is a decoder too.
type Prompt struct {
	Tokens    int      // V, at least 1
	Init      Init     // how the rows start; empty: Random
	IDs       []int32  // with FromText: tokens whose embeddings the rows start from, cut or repeated to length
	Text      string   // with FromText: the text that IDs are the tokens of
	Tokenizer string   // with FromText: the name or path of the tokenizer that made them
	Save      []string // modules trained whole, by the end of their name: a new head
	Head      bool     // train the model's head whole, whatever its name

	origin
}

// An Init is how the rows of a prompt start, in the words of Hugging Face PEFT.
type Init string

// The ways to start.
const (
	Random      Init = "RANDOM"       // from N(0, 1)
	SampleVocab Init = "SAMPLE_VOCAB" // as embeddings of tokens drawn at random
	FromText    Init = "TEXT"         // as embeddings of given tokens
)

// Attach puts the virtual tokens before the input.
func (c Prompt) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	p, err := newPrompt(s, c.Tokens, c.origin)
	if err != nil {
		return nil, err
	}
	start, err := c.start(s, p.rows(), p.Dim, rng)
	if err != nil {
		return nil, err
	}
	p.put(newRows(p.q, "prompt", start, p.rows(), p.Dim))
	p.q.TrainModules(s.Modules(c.Save, c.Head))
	return p.q, nil
}

// start is the first values of n rows.
func (c Prompt) start(s *peft.Sites, n, dim int, rng peft.Rand) ([]float64, error) {
	switch {
	case c.saved:
		return nil, nil
	case c.Init == "" || c.Init == Random:
		return peft.Normal(rng, n*dim, 1), nil
	case c.Init != SampleVocab && c.Init != FromText:
		return nil, fmt.Errorf("prefix: Init is %q, must be %q, %q or %q", c.Init, Random, SampleVocab, FromText)
	}
	ids := c.IDs
	if words := wordsOf(s); c.Init == SampleVocab && words != nil {
		ids = make([]int32, n)
		for i := range ids {
			ids[i] = rng.Int32N(int32(words.Num))
		}
	}
	return embeddings(s, ids, n, dim)
}

// wordsOf is the model's table of tokens: the largest that it looks rows up in.
func wordsOf(s *peft.Sites) (words *peft.Embedding) {
	for x := range s.All() {
		if e, ok := x.(*peft.Embedding); ok && (words == nil || e.Num > words.Num) {
			words = e
		}
	}
	return words
}

// embeddings are the model's of n tokens, the given ones over and over.
func embeddings(s *peft.Sites, ids []int32, n, dim int) ([]float64, error) {
	words := wordsOf(s)
	switch {
	case words == nil || words.Size != dim:
		return nil, fmt.Errorf("prefix: the model has no embedding of tokens of %d numbers for rows to start from", dim)
	case len(ids) == 0:
		return nil, errors.New("prefix: IDs is empty: rows that start from a text start from its tokens")
	}
	for _, id := range ids {
		if id < 0 || int(id) >= words.Num {
			return nil, fmt.Errorf("prefix: token %d of IDs is not in the table of %d tokens", id, words.Num)
		}
	}
	p := peft.With(s.Device()).NoGrad()
	defer p.Close()
	table := make([]int32, n)
	for i := range table {
		table[i] = ids[i%len(ids)]
	}
	return words.Apply(p, table, nil).Float64s(), nil
}

// A prompt is a patch to which virtual tokens are put.
type prompt struct {
	sizes
	q      *peft.Patch
	all    []stack
	tokens int
}

func newPrompt(s *peft.Sites, tokens int, o origin) (*prompt, error) {
	all, err := stacks(s)
	if err != nil {
		return nil, err
	}
	n := promptSizes(all)
	if err := cmp.Or(within("Tokens", tokens, 1, mostTokens), n.check(o.said)); err != nil {
		return nil, err
	}
	return &prompt{n, peft.NewPatch(s), all, tokens}, nil
}

// rows are V for each stack of the model. Those of a decoder are trained by multitask prompts alone, but Hugging Face PEFT has them always.
func (p *prompt) rows() int { return p.tokens * p.Stacks }

// put puts the first V rows before the input.
func (p *prompt) put(rows source) { p.q.Prepend(p.all[0].input, virtual{rows, 0, p.tokens}) }
