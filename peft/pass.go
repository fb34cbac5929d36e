package peft

import "peft/tensor"

// A Pass is one forward pass: which patches are on, whether training, the seed of its randomness, which sequence uses which patch. It is used by one goroutine.
type Pass struct {
	Train     bool    // dropout acts, and pools draw
	Draws     bool    // pools draw, even where dropout does not act
	Recompute bool    // blocks keep nothing for the backward pass and are computed again in it
	Seed      uint64  // of all randomness, see [Seed]
	Tasks     []int32 // the task of each sequence, for methods that know several; nil: none said

	dev     *tensor.Device
	root    *tensor.Scope
	scope   *tensor.Scope
	patches []active
	route   []int
	numbers []int // of the sequences that are computed, in a batch of so many; nil: all of it
	of      int
	once    map[any]*tensor.Tensor
}

// With is a pass with some patches on; they act in the order given. Close it when its results are no longer needed.
func With(d *tensor.Device, patches ...*Patch) *Pass {
	s := tensor.NewScope(d)
	p := &Pass{dev: d, root: s, scope: s, once: map[any]*tensor.Tensor{}}
	for i, q := range patches {
		p.patches = append(p.patches, active{Patch: q, number: i})
		for _, part := range q.parts {
			p.patches = append(p.patches, active{part.Patch, i, part.on})
		}
	}
	return p
}

// NoGrad makes the pass forget how its results were made, so that nothing is kept for gradients. It returns the pass.
func (p *Pass) NoGrad() *Pass {
	p.root.NoGrad()
	return p
}

// Route lets each sequence go through its own patch: sequence s through the patch with the number patch[s] in the order of [With], or through none where that is −1. It returns the pass.
func (p *Pass) Route(patch []int) *Pass {
	p.route = patch
	return p
}

// Again is another pass with the same patches over the same sequences, whose random draws are its own. It uses the memory of p, and is not closed.
func (p *Pass) Again() *Pass {
	q := *p
	q.Seed, q.once = mix(p.Seed), map[any]*tensor.Tensor{}
	return &q
}

// Close frees the memory of the pass.
func (p *Pass) Close() { p.root.Close() }

// Device is where the pass computes.
func (p *Pass) Device() *tensor.Device { return p.dev }

// Scope is the memory of the block that is being computed.
func (p *Pass) Scope() *tensor.Scope { return p.scope }

// Block computes one block of a model, in memory of its own: what is made in it is freed when it ends, but for the result and what gradients need.
func (p *Pass) Block(x *tensor.Tensor, f func(x *tensor.Tensor) *tensor.Tensor) *tensor.Tensor {
	run := p.scope.Block
	if p.Recompute {
		run = p.scope.Checkpoint
	}
	return run(x, func(s *tensor.Scope, x *tensor.Tensor) *tensor.Tensor {
		defer p.enter(s)()
		return f(x)
	})
}

// Chain runs x through the layers of a model one after the other, each in a [Pass.Block] of its own whose result is freed as soon as the next layer has run, unless gradients need it. So
// forward must not keep the x that it is given:
//
//	x = peft.Chain(p, x, m.Layer, (*Layer).Forward)
func Chain[L any](p *Pass, x *tensor.Tensor, layers []L, forward func(l L, p *Pass, x *tensor.Tensor) *tensor.Tensor) *tensor.Tensor {
	run := p.scope.Chain
	if p.Recompute {
		run = p.scope.CheckpointChain
	}
	return run(x, len(layers), func(i int, s *tensor.Scope, x *tensor.Tensor) *tensor.Tensor {
		defer p.enter(s)()
		return forward(layers[i], p, x)
	})
}

// enter makes s the scope of the pass and returns what undoes that.
func (p *Pass) enter(s *tensor.Scope) (leave func()) {
	outer := p.scope
	p.scope = s
	return func() { p.scope = outer }
}

// Once is the value of f, computed once a pass for each key.
func (p *Pass) Once(key any, f func() *tensor.Tensor) *tensor.Tensor {
	t := p.once[key]
	if t == nil {
		leave := p.enter(p.root)
		t = f()
		leave()
		p.once[key] = t
	}
	return p.scope.Use(t)
}

// HeadLoss is the mean cross-entropy of head(x) by its labels, one a row of x, for so many rows at a time: see [tensor.HeadLoss]. It is for all at once in a routed pass,
// and where something is added in no block that may read other rows.
func (p *Pass) HeadLoss(x *tensor.Tensor, labels []int32, rows int, head func(x *tensor.Tensor) *tensor.Tensor) *tensor.Tensor {
	if p.routed() || !p.addsRowWise(-1) {
		return tensor.CrossEntropy(head(x), labels)
	}
	return tensor.HeadLoss(x, labels, rows, func(s *tensor.Scope, x *tensor.Tensor) *tensor.Tensor {
		defer p.enter(s)()
		return head(x)
	})
}

// Key is the key of the random stream with a name: a function of the pass's seed and the name alone.
func (p *Pass) Key(name string) uint64 { return mix(p.Seed ^ hash(name)) }

// Dropout drops numbers of x with probability prob in training; name tells the places of a model apart.
func (p *Pass) Dropout(x *tensor.Tensor, prob float64, name string) *tensor.Tensor {
	if !p.Train {
		return x
	}
	return tensor.Dropout(x, prob, p.Key(name))
}

// deltas are those at a place of a site, in the order of the patches.
func (p *Pass) deltas(s Site, at Place) (all []Delta) {
	for _, q := range p.patches {
		for _, d := range q.deltas[s.base()] {
			if d.at == at {
				all = append(all, d.Delta)
			}
		}
	}
	return all
}

// rows are those put into a site, in the order of the patches.
func (p *Pass) rows(s Site) (all []Rows) {
	for _, q := range p.patches {
		all = append(all, q.rows[s.base()]...)
	}
	return all
}

// Matrix is a parameter as a linear map or table: its stand-in, or the frozen weight.
func (p *Pass) Matrix(f *Frozen) tensor.Map {
	var m tensor.Map
	if f.W != nil {
		m = f.W
	}
	for _, q := range p.patches {
		for _, v := range q.standIns[f] {
			m = v.Value(p, f, m)
		}
	}
	if m == nil {
		return f.weight()
	}
	return m
}

// Vector is a parameter as a tensor; nil where the model has none and nothing stands in for it.
func (p *Pass) Vector(f *Frozen) *tensor.Tensor {
	if !p.substituted(f) {
		if f.Absent {
			return nil
		}
		return f.weight().Constant(p.dev)
	}
	return p.Matrix(f).Dense(p.scope)
}

func (p *Pass) substituted(f *Frozen) bool {
	for _, q := range p.patches {
		if len(q.standIns[f]) > 0 {
			return true
		}
	}
	return false
}
