package tensor

import "math"

// HeadLoss is CrossEntropy(head(x), labels) without the matrix of all logits: head turns so many rows of x at a time into logits, in a scope of their own, and only rows that have a label.
// As the loss is a scalar, their gradients are made while the logits are there, and [Backward] only scales them. head must treat each row by itself; its rows carry no layout, and keyed
// randomness in it repeats from one call to the next. If no row has a label, the loss is NaN.
func HeadLoss(x *Tensor, labels []int32, rows int, head func(s *Scope, x *Tensor) *Tensor) *Tensor {
	if len(labels) != x.Rows() || rows < 1 {
		misfit("HeadLoss", sprint(len(labels))+" rows, one a label, some at a time", x)
	}
	h := &headLoss{x: x, labels: labels, head: head, total: output(nil, x)}
	for i, y := range labels {
		if y != Ignore {
			h.scored = append(h.scored, int32(i))
		}
	}
	if len(h.scored) == 0 {
		h.total.Device().Fill(h.total.mat(), math.NaN())
		return h.total
	}
	h.total.Device().Fill(h.total.mat(), 0)
	if x.scope != nil && x.scope.noGrad {
		h.each(rows, h.silent)
		return h.total
	}
	h.leaf = x.Detach()
	if x.Wants() {
		h.leaf.param = h.leaf
	}
	h.back = &backward{outside: &outside{grads: map[*node]*Tensor{}}, grads: Grads{map[*Tensor]*Tensor{}}}
	h.each(rows, h.recorded)
	return h.record()
}

// A headLoss is a HeadLoss on the way.
type headLoss struct {
	x, leaf, total *Tensor // leaf is x as the history of a chunk sees it
	labels         []int32
	scored         []int32 // the rows with labels
	head           func(*Scope, *Tensor) *Tensor
	back           *backward // gathers the gradients of all chunks
}

// each calls f for the scored rows, so many at a time.
func (h *headLoss) each(rows int, f func(rows []int32)) {
	for lo := 0; lo < len(h.scored); lo += rows {
		f(h.scored[lo:min(lo+rows, len(h.scored))])
	}
}

// add adds the loss of some rows of x to the total.
func (h *headLoss) add(s *Scope, x *Tensor, rows []int32) *Tensor {
	labels := make([]int32, len(rows))
	for i, r := range rows {
		labels[i] = h.labels[r]
	}
	loss := crossEntropy(h.head(s, GatherRows(x, rows, nil)), labels, len(h.scored))
	loss.Device().Axpby(h.total.mat(), 1, loss.mat(), 1)
	return loss
}

// silent adds the loss of some rows where no gradient is wanted.
func (h *headLoss) silent(rows []int32) {
	h.x.scope.Block(h.x, func(s *Scope, x *Tensor) *Tensor { return h.add(s, x, rows) })
}

// recorded adds the loss of some rows and its gradients.
func (h *headLoss) recorded(rows []int32) {
	s := &Scope{dev: h.x.Device()}
	if h.x.scope != nil {
		s.depth = h.x.scope.depth + 1 // what is made of tensors in here and out there is made in here
	}
	defer s.Close()
	loss := h.add(s, s.Use(h.leaf), rows)
	if loss.node == nil {
		return
	}
	s.settle()
	seed := hold(loss.Device(), loss.shape)
	seed.Device().Fill(seed.mat(), 1)
	h.back.home = s
	h.back.run(loss, seed)
}

// record makes the total remember the gradients, which belong to its scope from now on.
func (h *headLoss) record() *Tensor {
	var inputs, grads []*Tensor
	for _, x := range h.back.outside.order {
		g, _ := h.back.slot(x)
		if g == nil { // a checkpoint's own input
			continue
		}
		if x == h.leaf {
			x = h.x
		}
		inputs, grads = append(inputs, x), append(grads, g)
		h.total.adopt(g.data)
	}
	return record("HeadLoss", h.total, inputs, grads, func(f *flow) {
		scale := f.dy.Item()
		for i, x := range inputs {
			dst, beta := f.into(x)
			f.dev().Axpby(dst, scale, grads[i].mat(), beta)
		}
	})
}

// adopt makes a storage that the caller holds belong to the scope of t.
func (t *Tensor) adopt(s *storage) {
	if t.scope == nil {
		s.pinned = true
		return
	}
	t.scope.owned = append(t.scope.owned, s)
}
