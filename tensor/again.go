package tensor

import "slices"

// A recipe makes the numbers of a storage again, of what is kept anyway. Nodes that will read them do not hold them: they are freed when the forward pass has done with them, made for the first
// of these nodes that a backward pass comes to, and freed after the last.
type recipe struct {
	from   []*storage
	size   int
	make   func()
	wanted int  // nodes that will read the numbers
	made   bool // again
}

// again lets t be made again by f of the given tensors, if it is part of a history at all, and returns it. They should be what its own node keeps, or little more: where one of them has been
// freed, t is kept itself.
func (t *Tensor) again(f func(), from ...*Tensor) *Tensor {
	if t.node == nil {
		return t
	}
	r := &recipe{size: t.data.buf.Len(), make: f}
	for _, x := range from {
		if x != nil {
			r.from = append(r.from, x.data)
		}
	}
	t.data.recipe = r
	return t
}

// keep makes s outlive the forward pass, or what it can be made of.
func (n *node) keep(s *storage) {
	r := s.recipe
	if !r.possible() {
		s.hold()
		n.kept = append(n.kept, s)
		return
	}
	for _, x := range r.from {
		n.keep(x)
	}
	r.wanted++
	n.remade = append(n.remade, s)
}

// possible reports whether all that r needs is still there.
func (r *recipe) possible() bool {
	return r != nil && !slices.ContainsFunc(r.from, func(s *storage) bool { return s.buf == nil && !s.recipe.possible() })
}

// restore makes what n reads and the forward pass has freed.
func (b *backward) restore(n *node) {
	for _, s := range n.remade {
		if s.buf == nil {
			s.buf, s.holds, s.recipe.made = s.dev.Alloc(s.recipe.size), 1, true
			s.recipe.make()
			b.restored = append(b.restored, s)
		}
	}
}

// letGo gives up all that n has kept.
func (n *node) letGo() {
	for _, s := range n.remade {
		if s.recipe.wanted--; s.recipe.wanted == 0 {
			s.recipe.end(s)
		}
	}
	for _, s := range n.kept {
		s.release()
	}
}

// end frees what has been made again of s, if it has been.
func (r *recipe) end(s *storage) {
	if r.made {
		r.made = false
		s.release()
	}
}

// forget frees what is left of all that was made again: for nodes that the walk did not come to.
func (b *backward) forget() {
	for _, s := range b.restored {
		s.recipe.end(s)
	}
	b.restored = nil
}
