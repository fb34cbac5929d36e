package peft

import (
	"sync/atomic"

	"peft/tensor"
)

// A Site is a named place in a model where a patch may add, prepend or stand in: *[Linear], *[Norm], *[Embedding], *[Sublayer], *[Attention], *[Hidden] or *[Sequence].
type Site interface {
	// Name is the path of the site in its model, as in the checkpoint: "encoder.layer.0.attention.self.query".
	Name() string
	// Layer is the number of the block the site is in, -1 where it is in none.
	Layer() int
	// Frozen lists the site's own parameters, the absent ones too.
	Frozen() []*Frozen

	base() *site
}

// A Role is what a site does in its block.
type Role string

// The roles of linear maps and sublayers.
const (
	Query     Role = "query"
	Key       Role = "key"
	Value     Role = "value"
	Fused     Role = "fused"        // several of query, key and value in one: see Parts
	Output    Role = "output"       // of an attention
	Up        Role = "intermediate" // the first matrix of a feed-forward network
	Gate      Role = "gate"
	Down      Role = "down" // the last matrix of a feed-forward network
	Pooler    Role = "pooler"
	Head      Role = "head"
	SelfBlock Role = "attention" // the sublayer of a self-attention
	CrossPart Role = "cross"     // the sublayer of a cross-attention
	FFN       Role = "ffn"       // the sublayer of a feed-forward network
)

// site is what every kind of site has: where it stands, once FindSites has seen it.
type site struct{ at atomic.Pointer[standing] }

type standing struct {
	name  string
	layer int
	owner *site
}

func (s *site) base() *site { return s }

// Name is the path of the site in its model; empty until [FindSites] has seen the model.
func (s *site) Name() string {
	if at := s.at.Load(); at != nil {
		return at.name
	}
	return ""
}

// Layer is the number of the block the site is in, -1 where it is in none.
func (s *site) Layer() int {
	if at := s.at.Load(); at != nil {
		return at.layer
	}
	return -1
}

// copied reports whether the site is a copy of one that FindSites has seen.
func (s *site) copied() bool {
	at := s.at.Load()
	return at != nil && at.owner != s
}

// check panics if the site is a copy: patches are keyed by address, so none would act on it.
func (s *site) check() {
	if s.copied() {
		panic(&tensor.ShapeError{Op: s.Name(), Got: "a copy of the site", Want: "the site itself: hold blocks by pointer"})
	}
}
