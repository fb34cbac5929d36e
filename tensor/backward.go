package tensor

import "peft/tensor/internal/backend"

// A node is how a tensor was made: what gradients flow on to, what the rule needs, and the rule.
type node struct {
	op     string
	inputs []*Tensor
	kept   []*storage
	remade []*storage // is read too, but made again before that
	back   func(*flow)
	home   *Scope  // the outermost scope around its result
	grad   *Tensor // gradient by the result, while Backward runs
	seen   bool    // a walk has it in its order, or has done it
}

// record remembers how out was made, if a gradient is wanted by an input. keep lists the tensors whose numbers back reads; only they outlive the forward pass, or what they are made of again.
func record(op string, out *Tensor, inputs, keep []*Tensor, back func(*flow)) *Tensor {
	out.scope.reads(inputs)
	if out.scope != nil && out.scope.noGrad {
		out.scope.note(inputs)
		return out
	}
	n := &node{op: op, back: back, home: out.scope.root()}
	for _, x := range inputs {
		if x != nil && x.Wants() {
			n.inputs = append(n.inputs, x)
		}
	}
	if n.inputs == nil {
		return out
	}
	for _, x := range keep {
		if x != nil {
			n.keep(x.data)
		}
	}
	out.node = n
	return out
}

// Grads are the gradients of one or several backward passes by the parameters.
type Grads struct{ of map[*Tensor]*Tensor }

// Of is the gradient by a parameter, nil if none flowed to it.
func (g Grads) Of(param *Tensor) *Tensor { return g.of[param] }

// Len is the number of parameters that a gradient flowed to.
func (g Grads) Len() int { return len(g.of) }

// Release gives the memory of the gradients back; they must not be used afterwards.
func (g Grads) Release() {
	for p, t := range g.of {
		t.data.release()
		delete(g.of, p)
	}
}

// Backward computes the gradients of a scalar by all parameters it depends on. It consumes the history: activations are freed on the way, and nothing that
// depends on them can go through another backward pass.
func Backward(loss *Tensor) Grads { return BackwardInto(Grads{}, loss, 1) }

// BackwardInto adds scale times the gradients of a scalar to g and returns it: the sum over micro-batches.
func BackwardInto(g Grads, loss *Tensor, scale float64) Grads {
	if loss.Len() != 1 {
		misfit("Backward", "a scalar", loss)
	}
	if g.of == nil {
		g.of = map[*Tensor]*Tensor{}
	}
	seed := hold(loss.Device(), loss.shape)
	loss.Device().Fill(seed.mat(), scale)
	b := &backward{grads: g}
	b.run(loss, seed)
	return g
}

// hold is a tensor outside every scope whose one hold the caller has.
func hold(d *Device, shape []int) *Tensor {
	return d.wrap(&storage{dev: d, buf: d.Alloc(size(shape)), holds: 1}, shape)
}

// A backward is one walk through a history; a checkpoint inside it runs another one into the same gradients, through what it has made anew: the walk around
// it has seen all else.
type backward struct {
	grads    Grads
	restored []*storage

	// Where outside is not nil, the walk stays with nodes of one scope, and gradients by tensors from outside it are gathered there.
	home    *Scope
	outside *outside
	around  *backward // the walk that is interrupted by this one, through a checkpoint
}

// outside is the gradients by tensors from outside the scope of a walk, and all that a walk gathers gradients by, parameters too, in the order of first use.
type outside struct {
	grads map[*node]*Tensor
	order []*Tensor
}

// beyond reports whether a node is outside the walk and those that it interrupts.
func (b *backward) beyond(n *node) bool {
	for w := b; w != nil; w = w.around {
		if w.outside == nil || n.home == w.home {
			return false
		}
	}
	return true
}

// run lets the gradient seed, by t, flow to all parameters. It takes over the hold on seed.
func (b *backward) run(t *Tensor, seed *Tensor) {
	b.add(t, seed)
	seed.data.release()
	order := b.postorder(t.node, nil)
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		if n.grad != nil {
			b.restore(n)
			n.back(&flow{b, n.grad})
			n.grad.data.release()
		}
		n.letGo()
		*n = node{op: n.op, seen: true}
	}
	b.forget()
}

// postorder lists the nodes that n depends on, and n, each after those it depends on. The order follows from the operands' order alone. It panics where an
// earlier walk has consumed a node.
func (b *backward) postorder(n *node, order []*node) []*node {
	switch {
	case n == nil || b.beyond(n):
		return order
	case n.seen && n.back == nil:
		panic(&ShapeError{Op: "Backward", Got: "the history of " + n.op + " again", Want: "one backward pass, of the sum of all losses"})
	case n.seen:
		return order
	}
	n.seen = true
	for _, x := range n.inputs {
		order = b.postorder(x.node, order)
	}
	return append(order, n)
}

// slot is where the gradient by x is gathered; nil where none is wanted.
func (b *backward) slot(x *Tensor) (get *Tensor, set func(*Tensor)) {
	switch {
	case x.param != nil:
		return b.grads.of[x.param], func(g *Tensor) {
			b.outside.first(x.param, b.grads.of[x.param])
			b.grads.of[x.param] = g
		}
	case b.beyond(x.node):
		return b.outside.grads[x.node], func(g *Tensor) {
			b.outside.first(x, b.outside.grads[x.node])
			b.outside.grads[x.node] = g
		}
	}
	return x.node.grad, func(g *Tensor) { x.node.grad = g }
}

// first puts x last in the order, if there is no gradient by it so far.
func (o *outside) first(x, grad *Tensor) {
	if o != nil && grad == nil {
		o.order = append(o.order, x)
	}
}

// add adds g to the gradient by x. The first one is not copied: both share it until somebody adds to it.
func (b *backward) add(x, g *Tensor) {
	if !x.Wants() {
		return
	}
	have, set := b.slot(x)
	if have == nil && g.dense() && g.Len() == g.data.buf.Len() {
		g.data.hold()
		set(g.Device().wrap(g.data, x.shape))
		return
	}
	dst, beta := b.into(x)
	g.Device().Axpby(dst, 1, g.over(dst.Rows, dst.Cols), beta)
}

// into is where to add to the gradient by x, and the factor on what is there: 0 where nothing is.
func (b *backward) into(x *Tensor) (backend.Mat, float64) {
	have, set := b.slot(x)
	switch {
	case have == nil:
		g := hold(x.Device(), x.shape)
		set(g)
		return g.mat(), 0
	case have.data.holds > 1:
		g := hold(x.Device(), x.shape)
		x.Device().Axpby(g.mat(), 1, have.mat(), 0)
		have.data.release()
		set(g)
		return g.mat(), 1
	}
	return have.mat(), 1
}

// A flow is the gradient on its way back through one operation: dy is the gradient by its result.
type flow struct {
	*backward
	dy *Tensor
}

func (f *flow) dev() *Device { return f.dy.Device() }

// sum adds dy to the gradient by x, summed over the axes along which x was repeated.
func (f *flow) sum(x *Tensor) {
	if !x.Wants() {
		return
	}
	if x.Rows() == f.dy.Rows() && x.Cols() == f.dy.Cols() {
		f.add(x, f.dy)
		return
	}
	dst, beta := f.into(x)
	f.dev().Sum(dst, f.dy.mat(), beta)
}

// to calls f with the place for the gradient by x, if x wants one.
func (f *flow) to(x *Tensor, write func(dst backend.Mat, beta float64)) {
	if x != nil && x.Wants() {
		write(f.into(x))
	}
}

// part is like to for an operation that read only a part of x: the place is zero where nothing was added.
func (f *flow) part(x *Tensor, write func(dst backend.Mat)) {
	f.to(x, func(dst backend.Mat, beta float64) {
		if beta == 0 {
			f.dev().Fill(dst, 0)
		}
		write(dst)
	})
}

// temp is a matrix for the time of f.
func (f *flow) temp(rows, cols int, use func(backend.Mat)) {
	t := hold(f.dev(), []int{rows, cols})
	use(t.mat())
	t.data.release()
}
