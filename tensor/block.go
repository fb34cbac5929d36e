package tensor

import "slices"

// Block runs f on x in a scope of its own and returns its result in s. What f makes is freed when it returns, but for the result and what gradients need.
func (s *Scope) Block(x *Tensor, f func(inner *Scope, x *Tensor) *Tensor) *Tensor {
	y, _ := s.block(x, f)
	return y
}

// block also reports whether f made the result: it may be the input, or from outside.
func (s *Scope) block(x *Tensor, f func(inner *Scope, x *Tensor) *Tensor) (y *Tensor, made bool) {
	inner := &Scope{dev: s.dev, parent: s, depth: s.depth + 1, noGrad: s.noGrad, read: s.read}
	y = f(inner, inner.Use(x))
	made = inner.handUp(y.data)
	u := *y
	u.scope = s
	return &u, made
}

// Chain runs n blocks, each on the result of the one before it and the first one on x, and returns the last result. A block's result is freed as soon as the next block has ended, unless
// gradients need it: a deep network takes the memory of one block below what is trained, and where nothing is recorded. So f must let go of what it is given, and of windows of it, when it returns.
func (s *Scope) Chain(x *Tensor, n int, f func(i int, inner *Scope, x *Tensor) *Tensor) *Tensor {
	return s.chain(x, n, s.block, f)
}

// CheckpointChain is Chain of blocks that keep nothing of what they make, see [Scope.Checkpoint], but the result of the block before them.
func (s *Scope) CheckpointChain(x *Tensor, n int, f func(i int, inner *Scope, x *Tensor) *Tensor) *Tensor {
	return s.chain(x, n, s.checkpoint, f)
}

// A runner runs a block and reports whether it made its result.
type runner func(x *Tensor, f func(inner *Scope, x *Tensor) *Tensor) (y *Tensor, made bool)

func (s *Scope) chain(x *Tensor, n int, run runner, f func(i int, inner *Scope, x *Tensor) *Tensor) *Tensor {
	own := false // x was made by a block of the chain
	for i := range n {
		y, made := run(x, func(inner *Scope, x *Tensor) *Tensor { return f(i, inner, x) })
		if y.data == x.data {
			made = own
		} else if own {
			s.drop(x.data)
		}
		x, own = y, made
	}
	return x
}

// drop gives up a storage that the scope owns: what nodes hold is only remembered, else it is freed.
func (s *Scope) drop(st *storage) {
	for i := len(s.owned) - 1; i >= 0; i-- {
		if s.owned[i] == st {
			s.owned = slices.Delete(s.owned, i, i+1)
			st.release()
			s.keep(st)
			return
		}
	}
}

// keep remembers a storage that only nodes hold now, if any does.
func (s *Scope) keep(st *storage) {
	if st.buf != nil {
		s.kept = append(s.kept, st)
	}
}

// settle gives up all that the scope owns.
func (s *Scope) settle() {
	for _, st := range s.owned {
		st.release()
		s.keep(st)
	}
	s.owned = nil
}

// handUp ends an inner scope: the result's storage moves to the parent, what nodes hold is only remembered there, all else is freed. It reports whether the result was made in the scope.
func (s *Scope) handUp(result *storage) (made bool) {
	for _, st := range s.owned {
		if st == result {
			s.parent.owned, made = append(s.parent.owned, st), true
			continue
		}
		st.release()
		s.parent.keep(st)
	}
	for _, st := range s.kept {
		s.parent.keep(st)
	}
	s.owned, s.kept, s.ended = nil, nil, true
	s.parent.wanted = s.parent.wanted || s.wanted
	if s.parent.noGrad {
		s.parent.used = append(s.parent.used, s.used...)
	}
	return made
}
