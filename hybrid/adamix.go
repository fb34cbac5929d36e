package hybrid

import (
	"errors"
	"fmt"
	"strings"

	"peft/adapter"
	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// AdaMix is a method of which there are several experts (Wang et al. 2022, arXiv:2205.12410). Each pass of training draws, for every layer and the whole batch, one of the maps that lead down
// and one of those that lead up. A second pass, with draws of its own, is to say the same as the first: with p₁ and p₂ what the passes predict, the loss is
//
//	CE(p₁) + Consistency·½·(KL(p₂‖p₁) + KL(p₁‖p₂)),  the mean over rows
//
// In evaluation and in files each pool is the mean of its experts: an ordinary patch of the method.
//
// As in the authors' code, gradients reach each KL through its second argument only, and the second pass has no cross-entropy. Their adapters stand before the dropout of the feed-forward
// network, these after it.
type AdaMix struct {
	Of            peft.Method // what there are experts of; nil: Sequential
	Experts       int         // in each pool; 0 means 4
	Share         Share       // which maps there is only one of
	NoConsistency bool        // no second pass
	Consistency   float64     // the weight of its term; 0 means 1. The authors take 1 to classify and 100 to generate
}

// Share says which maps all experts share.
type Share string

// The shares. Those of LoRA are A, which leads down, and B, which leads up.
const (
	Up      Share = ""
	Down    Share = "down"
	Nothing Share = "none"
)

// Sequential is the adapter of AdaMix: after each feed-forward network, Δ = Up·gelu(Down·u) with u what the network puts out.
func Sequential() adapter.Config {
	return adapter.Config{Input: adapter.Branch, Activation: "gelu"}
}

// most is how many experts a configuration may ask for, which may come from anybody's file.
const most = 1 << 8

// Attach attaches the experts.
func (c AdaMix) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if c.Experts < 0 || c.Consistency < 0 {
		return nil, fmt.Errorf("hybrid: Experts is %d and Consistency %v, must not be negative; 0 is the default", c.Experts, c.Consistency)
	}
	if _, ok := c.Unwrap().(AdaMix); ok {
		return nil, errors.New("hybrid: AdaMix: Of is AdaMix itself, must be a method that is no mixture")
	}
	if c.Experts > most {
		return nil, fmt.Errorf("hybrid: Experts is %d, must be at most %d", c.Experts, most)
	}
	q, err := c.mixture().Attach(s, rng)
	if err != nil {
		return nil, fmt.Errorf("hybrid: AdaMix: %w", err)
	}
	for x := range q.Params() {
		if c.Share != Nothing && c.one(x.Name) {
			return q, nil
		}
	}
	if c.Share == Nothing {
		return q, nil
	}
	return nil, fmt.Errorf("hybrid: AdaMix: Share is %q, but %T has no such maps; it may be %q", c.Share, c.Unwrap(), Nothing)
}

func (c AdaMix) mixture() peft.Mixture {
	m := peft.Mixture{Of: c.Unwrap(), Experts: c.Experts, One: c.one}
	if c.Experts == 0 {
		m.Experts = 4
	}
	_, m.Alike = m.Of.(lora.Config)
	return m
}

// Unwrap is the method that there are experts of.
func (c AdaMix) Unwrap() peft.Method {
	if c.Of == nil {
		return Sequential()
	}
	return c.Of
}

// leading are parts of the names of the parameters that lead down and up.
var leading = map[Share][]string{Down: {"/adapter_down", "/lora_A"}, Up: {"/adapter_up", "/lora_B", "/lora_bias"}}

// one reports whether there is only one of a parameter.
func (c AdaMix) one(name string) bool {
	for _, part := range leading[c.Share] {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// Collapse puts the mean of each pool in its place.
func (c AdaMix) Collapse(p *peft.Pass, q *peft.Patch) (peft.Method, map[string]*tensor.Tensor) {
	return c.mixture().Collapse(p, q)
}

// Objective is the loss of two passes; nil, that of one, without consistency or where no experts are drawn.
func (c AdaMix) Objective(p *peft.Pass, scores func(*peft.Pass) (*tensor.Tensor, []int32, error)) (*tensor.Tensor, error) {
	if c.NoConsistency || !p.Draws {
		return nil, nil
	}
	first, labels, err := scores(p)
	if err != nil {
		return nil, err
	}
	second, _, err := scores(p.Again())
	if err != nil {
		return nil, err
	}
	weight := c.Consistency
	if weight == 0 {
		weight = 1
	}
	return tensor.Add(tensor.CrossEntropy(first, labels), tensor.Scale(consistency(first, second, labels), weight)), nil
}
