package lora

import (
	"fmt"

	"peft/peft"
)

// Common is what the configurations of the methods beside LoRA have in common: where the method acts, and what of the base is trained beside it.
type Common struct {
	On   peft.Selection // the linear maps; nil: what is usual for the method and the model's type
	Bias Bias           // which of the base's biases are trained too
	Save []string       // modules trained whole, by the end of their name: a new head
	Head bool           // train the model's head whole, whatever its name

	tied bool // what the base ties to such a module is trained with it
	bare bool // files do not hold the tables of adapted embeddings
}

// A kind is what Hugging Face PEFT calls a method, and which of the common options its configurations have.
type kind struct {
	name   string // peft_type
	bias   bool   // bias
	layout bool   // fan_in_fan_out
}

func (c *Common) set(shared Common) { *c = shared }

func (c Common) targeted() peft.Targeted {
	return peft.Targeted{On: c.On, Save: c.Save, Head: c.Head, Tied: c.tied}
}

// linears are the linear maps on which a method acts; any other site is an error.
func (c Common) linears(k kind, s *peft.Sites) (all []*peft.Linear, err error) {
	sites, err := c.targeted().Sites(k.name, s)
	for _, x := range sites {
		l, ok := x.(*peft.Linear)
		if !ok {
			return nil, fmt.Errorf("lora: %s: %s adapts linear maps, not a %T", x.Name(), k.name, x)
		}
		all = append(all, l)
	}
	return all, err
}

// attach lets each linear map be patched, and trains what is to be trained whole.
func (c Common) attach(k kind, s *peft.Sites, each func(q *peft.Patch, l *peft.Linear) error) (*peft.Patch, error) {
	if _, err := c.linears(k, s); err != nil {
		return nil, err
	}
	return c.attachBoth(k, s, each, nil)
}

// attachBoth is attach for a method that adapts embeddings too.
func (c Common) attachBoth(k kind, s *peft.Sites, linear func(*peft.Patch, *peft.Linear) error, embedding func(*peft.Patch, *peft.Embedding) error) (*peft.Patch, error) {
	sites, err := c.targeted().Sites(k.name, s)
	if err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, x := range sites {
		switch x := x.(type) {
		case *peft.Linear:
			err = linear(q, x)
		case *peft.Embedding:
			err = embedding(q, x)
		default:
			err = fmt.Errorf("%s adapts linear maps and embeddings, not a %T", k.name, x)
		}
		if err != nil {
			return nil, fmt.Errorf("lora: %s: %w", x.Name(), err)
		}
	}
	return q, c.whole(q, k, sites)
}

// check wants a choice of biases that the method has.
func (c Common) check(k kind) error {
	switch {
	case c.Bias == "" || c.Bias == NoBias:
		return nil
	case !k.bias:
		return fmt.Errorf("lora: Bias is %q, but %s trains no biases", c.Bias, k.name)
	case c.Bias != AllBias && c.Bias != OnlyLoRA:
		return fmt.Errorf("lora: Bias is %q, must be %q, %q or %q", c.Bias, NoBias, AllBias, OnlyLoRA)
	}
	return nil
}

// whole trains what a method does not change by itself: modules saved whole, the head, biases of the base. It keeps in the file what a reader expects there.
func (c Common) whole(q *peft.Patch, k kind, sites []peft.Site) error {
	c.targeted().Whole(q)
	if c.Bias == AllBias {
		q.TrainBiases()
		keepOriginals(q, q.Sites().Modules(c.Save, c.Head))
	}
	for _, x := range sites {
		if l, ok := x.(*peft.Linear); ok && c.Bias == OnlyLoRA && !l.B.Absent {
			q.Train(l.B)
		}
	}
	if c.bare {
		return nil
	}
	return c.targeted().KeepTables(k.name, q, sites)
}

// atLeast wants a number of a configuration to be no smaller than a bound.
func atLeast(name string, v, bound int) error {
	if v < bound {
		return fmt.Errorf("lora: %s is %d, must be at least %d", name, v, bound)
	}
	return nil
}

// The most that a configuration may ask for, which may come from anybody's file: far more than anything published.
const (
	mostRank    = 1 << 13
	mostVectors = 1 << 16
)

// within wants a number of a configuration to be between bounds.
func within(name string, v, least, most int) error {
	if v > most {
		return fmt.Errorf("lora: %s is %d, must be at most %d", name, v, most)
	}
	return atLeast(name, v, least)
}

// fits wants a rank not to be above both sides of a matrix, whose updates of that rank would be no smaller than itself.
func fits(rank, out, in int) error {
	if rank > max(out, in) {
		return fmt.Errorf("rank is %d, above both sides of a matrix of [%d %d]", rank, out, in)
	}
	return nil
}

// probability wants a number of a configuration to be that of a dropout.
func probability(name string, v float64) error {
	if v < 0 || v >= 1 {
		return fmt.Errorf("lora: %s is %v, must be at least 0 and below 1", name, v)
	}
	return nil
}
