package tensor

// Checkpoint is Block, but keeps nothing of what f makes: the backward pass runs f again. f must compute the same both times, and is the
// price: its forward pass is paid twice.
func (s *Scope) Checkpoint(x *Tensor, f func(inner *Scope, x *Tensor) *Tensor) *Tensor {
	y, _ := s.checkpoint(x, f)
	return y
}

// checkpoint also reports whether f made the result.
func (s *Scope) checkpoint(x *Tensor, f func(inner *Scope, x *Tensor) *Tensor) (out *Tensor, own bool) {
	if s.noGrad {
		return s.block(x, f)
	}
	silent := &Scope{dev: s.dev, parent: s, depth: s.depth + 1, noGrad: true, read: storages{x.data: true}}
	defer s.watch(silent.read)()
	y := f(silent, silent.Use(x))
	silent.note([]*Tensor{y}) // wants a gradient only if it was made outside
	made := silent.owned
	own = silent.handUp(y.data)
	u := *y
	u.scope, u.node, u.param = s, nil, nil
	if !silent.wanted {
		return &u, own
	}
	n := &node{op: "Checkpoint", home: s.root(), inputs: wanting(append([]*Tensor{x}, silent.used...)), kept: silent.read.held(made)}
	n.back = func(g *flow) { g.again(x, s.depth, f) }
	u.node = n
	return &u, own
}

func wanting(all []*Tensor) (some []*Tensor) {
	for _, x := range all {
		if x.Wants() {
			some = append(some, x)
		}
	}
	return some
}

// again runs a checkpointed block once more, now with a history, in a scope inside of all that f may use, and lets the gradient flow through it.
func (g *flow) again(x *Tensor, depth int, f func(*Scope, *Tensor) *Tensor) {
	s := &Scope{dev: g.dev(), depth: depth + 1}
	defer s.Close()
	leaf := s.Use(x)
	leaf.node, leaf.param = nil, nil
	if x.Wants() {
		leaf.param = leaf
	}
	y := f(s, leaf)
	s.settle()
	g.dy.data.hold()
	(&backward{grads: g.grads, home: s, outside: g.outside, around: g.backward}).run(y, g.dy)
	if dx := g.grads.of[leaf]; dx != nil {
		delete(g.grads.of, leaf)
		g.add(x, dx)
		dx.data.release()
	}
}
