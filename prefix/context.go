package prefix

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
)

// A Context is context-aware prompt tuning (CPT; Blau et al. 2024, arXiv:2410.17222) of a causal language model: before the input stand examples that are solved, as tokens whose embeddings are
// trained. They stay near the tokens' own, as a step that leads further is cut, and those of the answers stay as they are; but the model is to predict the answers, too:
//
//	row i = E[IDs[i]] + δ[i],  |δ[i]| ≤ ε·√(d/2048),  loss = Σ w·CE / n over the n tokens of all answers.
type Context struct {
	IDs      []int32 // the tokens, at least 1
	Types    []int   // what each is for in the first example: 1 template of the input, 2 input, 3 template of the answer, 4 answer; in the second 5 to 8, and so on; 0 for what is in none
	Input    float64 // ε of an input
	Template float64 // ε of a template
	Decay    float64 // w of an answer is Decay to the power of how many answers stand behind it, the one to the model's input included; 0 means 1

	origin
}

// The types of tokens, modulo 4.
const (
	answerType = iota
	inputTemplate
	inputType
	answerTemplate
)

// The parameters: the embeddings of the tokens, and what is added to them.
const (
	startName = "prompt/start"
	deltaName = "prompt/delta"
)

// Attach puts the examples before the input.
func (c Context) Attach(s *peft.Sites, _ peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	p, err := newPrompt(s, len(c.IDs), c.origin)
	if err != nil {
		return nil, err
	}
	if c.saved {
		p.put(newRows(p.q, "prompt", nil, p.tokens, p.Dim))
		return p.q, nil
	}
	start, err := embeddings(s, c.IDs, p.tokens, p.Dim)
	if err != nil {
		return nil, err
	}
	p.q.NewBuffer(startName, start, p.tokens, p.Dim)
	p.q.NewParam(deltaName, nil, p.tokens, p.Dim)
	p.put(moved{&c, p.q})
	return p.q, nil
}

func (c Context) check() error {
	switch {
	case len(c.Types) != len(c.IDs):
		return fmt.Errorf("prefix: %d Types for %d IDs, must be one for each", len(c.Types), len(c.IDs))
	case len(c.IDs) > 0 && (slices.Min(c.Types) < 0 || slices.Max(c.Types)%4 != answerType):
		return fmt.Errorf("prefix: Types goes from %d to %d, must end with an answer, a multiple of 4", slices.Min(c.Types), slices.Max(c.Types))
	case c.Input < 0 || c.Template < 0:
		return fmt.Errorf("prefix: Input is %v and Template %v, must not be negative", c.Input, c.Template)
	case c.Decay < 0 || c.Decay > 1:
		return fmt.Errorf("prefix: Decay is %v, must be 0 to 1", c.Decay)
	}
	return nil
}

// moved is the rows that are trained: the embeddings of tokens and what is added to them, which is nothing at answers.
type moved struct {
	*Context
	q *peft.Patch
}

func (m moved) rows(p *peft.Pass) *tensor.Tensor {
	free := make([]float64, len(m.Types))
	for i, kind := range m.Types {
		if kind%4 != answerType {
			free[i] = 1
		}
	}
	return tensor.Add(tensor.Mul(m.q.Param(deltaName).In(p), p.Scope().Tensor(free, len(free), 1)), m.q.Param(startName).In(p))
}

// Collapse puts the rows in the place of what they are made of.
func (c Context) Collapse(p *peft.Pass, q *peft.Patch) (peft.Method, map[string]*tensor.Tensor) {
	if c.saved {
		return nil, nil
	}
	rows := moved{&c, q}.rows(p)
	c.saved = true
	return c, map[string]*tensor.Tensor{"prompt/" + embeddingsKey: rows}
}

// Stepped cuts what is added to embeddings to the length that it may have. The training loop calls it after each step.
func (c Context) Stepped(q *peft.Patch, _ tensor.Grads, _, _ int) error {
	if c.saved {
		return nil
	}
	t := q.Param(deltaName).Tensor()
	v, d := t.Float64s(), t.Cols()
	for i, kind := range c.Types {
		row := v[i*d : (i+1)*d]
		if norm, most := floats.Norm(row, 2), c.most(kind)*math.Sqrt(float64(d)/2048); norm > most {
			floats.Scale(most/norm, row)
		}
	}
	t.Assign(v)
	return nil
}

// most is ε of a type of token.
func (c Context) most(kind int) float64 {
	switch {
	case kind == 0 || kind%4 == answerType:
		return 0
	case kind%4 == inputType:
		return c.Input
	}
	return c.Template
}

// State is empty: nothing moves but the parameters.
func (c Context) State(*peft.Patch) []optim.Param { return nil }
