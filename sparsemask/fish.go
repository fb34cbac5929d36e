package sparsemask

import (
	"errors"
	"fmt"
	"slices"

	"peft/peft"
)

// A Kind is how a number of the model is scored.
type Kind string

// The kinds of scores.
const (
	Label     Kind = "label"     // squared gradients of the loss, by true labels
	Expect    Kind = "expect"    // the expectation of squared gradients over the classes that the model itself predicts
	Random    Kind = "random"    // drawn
	Magnitude Kind = "magnitude" // the absolute value
)

// kinds are all of them.
var kinds = []Kind{Label, Expect, Random, Magnitude}

// A Config is a sparse mask: of all numbers of the model those with the largest scores are trained.
type Config struct {
	Keep   float64 // the share of the model's numbers that are trained, the head's among them
	Fisher Kind    // what the scores are; empty: Label
	Head   bool    // train the model's head whole, whatever its scores
	Scores Scores  // what [Estimate] has made; for Label and Expect
	Mask   Mask    // the numbers that are trained beside the head, if they are known: then nothing is chosen
	Base   string  // the hash of the model that the mask is of, whose numbers the trained ones replace; empty: not known

	// For programs, which make the scores:
	Samples int    // how many examples to estimate on; 0: all
	Data    string // the file to estimate on; empty: the one that is trained on
}

// A Mask is places of numbers by the name of their parameter: they are counted row by row as the checkpoint holds it, and ascend.
type Mask map[string][]int32

// Attach lets trained values stand in for the chosen numbers.
func (c Config) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if hash := s.Hash(); c.Base != "" && hash != "" && c.Base != hash {
		return nil, fmt.Errorf("sparsemask: the mask is of another model: of one with the hash %s, not %s", c.Base, hash)
	}
	q := peft.NewPatch(s)
	if c.Head {
		q.TrainHead()
	}
	mask := c.Mask
	if mask == nil {
		var err error
		if mask, err = c.choose(q, rng); err != nil {
			return nil, err
		}
	}
	return q, mask.train(q)
}

// NeedsScores reports whether the scores have to be estimated before the mask can be attached.
func (c Config) NeedsScores() bool {
	return c.Mask == nil && c.Scores == nil && (c.kind() == Label || c.kind() == Expect)
}

// Kind is what the scores are.
func (c Config) kind() Kind {
	if c.Fisher == "" {
		return Label
	}
	return c.Fisher
}

func (c Config) check() error {
	switch {
	case !slices.Contains(kinds, c.kind()):
		return fmt.Errorf("sparsemask: Fisher is %q, must be one of %q", c.Fisher, kinds)
	case c.Mask != nil:
		return nil
	case !(c.Keep > 0 && c.Keep <= 1):
		return fmt.Errorf("sparsemask: Keep is %v, must be above 0 and at most 1", c.Keep)
	case c.Samples < 0:
		return fmt.Errorf("sparsemask: Samples is %d, must be 0 or more", c.Samples)
	case c.NeedsScores():
		return errors.New("sparsemask: the mask needs Scores, which Estimate makes of examples")
	}
	return nil
}

// choose is the mask of the numbers that a patch does not train yet: as many of the largest scores as Keep leaves.
func (c Config) choose(q *peft.Patch, rng peft.Rand) (Mask, error) {
	total := q.Sites().Count()
	n := int(float64(total)*c.Keep) - q.Trainable()
	if n <= 0 {
		return nil, fmt.Errorf("sparsemask: Keep is %v, which is %d of %d numbers, and the head alone has %d", c.Keep, int(float64(total)*c.Keep), total, q.Trainable())
	}
	var candidates []*peft.Frozen
	for f := range q.Sites().Params() {
		if q.Param(f.Name) == nil {
			candidates = append(candidates, f)
		}
	}
	return largest(candidates, c.scorer(q.Sites(), rng), n)
}

// train lets a patch train the numbers of the mask.
func (m Mask) train(q *peft.Patch) error {
	known := map[string]bool{}
	for f := range q.Sites().Params() {
		known[f.Name] = true
		if places := m[f.Name]; len(places) > 0 {
			q.TrainEntries(f, places)
		}
	}
	for name := range m {
		if !known[name] {
			return fmt.Errorf("sparsemask: the mask is of a parameter %s, which the model has not", name)
		}
	}
	return nil
}
