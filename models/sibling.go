package models

import (
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// A Classifier of texts whose features do not depend on its head: several may share a base, and features of a frozen base need to be computed only once.
type Classifier interface {
	Model
	// Features is what the head sees of each sequence [sequences×size].
	Features(p *peft.Pass, b *Batch) *tensor.Tensor
	// Classify is the logits [sequences×labels] of features.
	Classify(p *peft.Pass, features *tensor.Tensor) *tensor.Tensor

	sibling(labels int) Model
}

// Sibling is a classifier over the same base with a new head for another number of classes. A pass can go through patches of both. Closing the first closes both.
func (m *Opened) Sibling(labels int, seed uint64) (*Opened, error) {
	c, ok := m.Model.(Classifier)
	if !ok {
		return nil, fmt.Errorf("models: %T cannot share its base with another head", m.Model)
	}
	s := *m
	s.Model, s.Options.Labels, s.Options.Seed, s.Fresh = c.sibling(labels), labels, seed, nil
	sites, err := peft.FindSites(nil, s.Model)
	if err != nil {
		return nil, err
	}
	rng := headRand(seed)
	for p := range sites.Params() {
		if p.W == nil {
			p.W = fresh(p, rng)
			s.Fresh = append(s.Fresh, p.Name)
		}
	}
	return &s, nil
}
