package tensor

// Checkpoint is Block, but keeps nothing of what f makes: the backward pass runs f again. f must compute the same both times, and is the
// price: its forward pass is paid twice.
func (s *Scope) Checkpoint(x *Tensor, f func(inner *Scope, x *Tensor) *Tensor) *Tensor {
	if s.noGrad {
		return s.Block(x, f)
	}
	silent := &Scope{dev: s.dev, parent: s, depth: s.depth + 1, noGrad: true}
	y := f(silent, silent.Use(x))
	silent.note([]*Tensor{y}) // wants a gradient only if it was made outside
	silent.handUp(y.data)
	out := *y
	out.scope, out.node, out.param = s, nil, nil
	if !silent.wanted {
		return &out
	}
	n := &node{op: "Checkpoint", inputs: wanting(append([]*Tensor{x}, silent.used...)), kept: []*storage{x.data}}
	x.data.hold()
	n.back = func(g *flow) { g.again(x, f) }
	out.node = n
	return &out
}

func wanting(all []*Tensor) (some []*Tensor) {
	for _, x := range all {
		if x.Wants() {
			some = append(some, x)
		}
	}
	return some
}

// again runs a checkpointed block once more, now with a history, and lets the gradient flow through it.
func (g *flow) again(x *Tensor, f func(*Scope, *Tensor) *Tensor) {
	s := NewScope(g.dev())
	defer s.Close()
	leaf := s.Use(x)
	leaf.node, leaf.param = nil, nil
	if x.Wants() {
		leaf.param = leaf
	}
	y := f(s, leaf)
	g.dy.data.hold()
	(&backward{grads: g.grads}).run(y, g.dy)
	if dx := g.grads.of[leaf]; dx != nil {
		delete(g.grads.of, leaf)
		g.add(x, dx)
		dx.data.release()
	}
}
