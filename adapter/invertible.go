package adapter

import (
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// A coupling is an invertible map of rows (NICE: Dinh et al. 2015, arXiv:1410.8516). With x1 and x2 the halves of a row, it is
//
//	y1 = x1 + F(x2),  y2 = x2 + G(y1)
//
// and backwards x2 = y2 − G(y1), x1 = y1 − F(x2). F and G are small networks.
type coupling struct {
	f, g network
	cut  int // size of x1
	size int
}

// invertible puts a coupling on the embeddings, and if asked for its inverse before the output embedding of a language model.
func (b builder) invertible() error {
	if b.Invertible == 0 {
		return nil
	}
	x := embedded(b.q.Sites())
	if x == nil {
		return fmt.Errorf("%T has no site peft.Hidden before its blocks, where an invertible adapter would stand", b.q.Sites().Model())
	}
	half := x.Size / 2
	c := &coupling{b.network("F", x.Size-half, half), b.network("G", half, x.Size-half), half, x.Size}
	b.q.Add(x, peft.Out, forward{c})
	for l := range b.q.Sites().Linears() {
		if b.Inverse && l.IsHead && l.Role != peft.Head && l.In == x.Size {
			b.q.Add(l, peft.In, backward{c})
		}
	}
	return nil
}

// embedded is the site of the embeddings' output, nil if there is none.
func embedded(s *peft.Sites) *peft.Hidden {
	for x := range s.All() {
		if x.Layer() >= 0 {
			return nil
		}
		if h, ok := x.(*peft.Hidden); ok {
			return h
		}
	}
	return nil
}

// inverted is where the parameters of couplings are.
const inverted = "invertible_adapters"

// A network is Up·f(Down·x + b) + c, from one half of a row to the other.
type network struct {
	down, up dense
	f        tensor.Func
}

func (b builder) network(name string, in, out int) network {
	f, _ := b.function()
	r := max(1, int(float64(in)/b.Invertible))
	at := inverted + "/" + name
	return network{b.dense(at+".0", peft.Normal(b.rng, r*in, 0.02), in, r), b.dense(at+".2", peft.Normal(b.rng, out*r, 0.02), r, out), f}
}

// wide is the network's value for x as columns of whole rows of the given size, from column at on, and zeros elsewhere: Up with rows of zeros saves putting halves together.
func (n network) wide(p *peft.Pass, x *tensor.Tensor, at, size int) *tensor.Tensor {
	pad := func(t *tensor.Tensor) *tensor.Tensor {
		s, rows, cols := p.Scope(), t.Rows(), t.Cols()
		if at > 0 {
			return tensor.Stack(nil, s.Tensor(nil, at, cols), t)
		}
		return tensor.Stack(nil, t, s.Tensor(nil, size-rows, cols))
	}
	up, c := n.up.w.In(p), n.up.b.In(p)
	padded := tensor.Affine{Bias: tensor.Reshape(pad(tensor.Reshape(c, c.Len(), 1)), size)}
	return tensor.Dense{W: pad(up)}.Linear(n.down.apply(p, x, n.f), padded)
}

// frozen is the coupling with parameters that are not trained.
func (c *coupling) frozen() *coupling {
	still := *c
	still.f.down, still.f.up = dense{frozen(c.f.down.w), frozen(c.f.down.b)}, dense{frozen(c.f.up.w), frozen(c.f.up.b)}
	still.g.down, still.g.up = dense{frozen(c.g.down.w), frozen(c.g.down.b)}, dense{frozen(c.g.up.w), frozen(c.g.up.b)}
	return &still
}

// forward is Δ = y − x.
type forward struct{ *coupling }

// Kind says why it has no Fold.
func (forward) Kind() string { return "an invertible adapter, which has a function between its maps," }

// Forward is F(x2) beside G(y1).
func (c forward) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	first := c.f.wide(p, tensor.Columns(t.X, c.cut, c.size), 0, c.size)
	y1 := tensor.Columns(tensor.Add(t.X, first), 0, c.cut)
	return tensor.Add(first, c.g.wide(p, y1, c.cut, c.size))
}

// backward is Δ = x − y.
type backward struct{ *coupling }

// Kind says why it has no Fold.
func (backward) Kind() string { return "an invertible adapter, which has a function between its maps," }

// Forward is −F(x2) beside −G(y1).
func (c backward) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	second := c.g.wide(p, tensor.Columns(t.X, 0, c.cut), c.cut, c.size)
	x2 := tensor.Columns(tensor.Sub(t.X, second), c.cut, c.size)
	return tensor.Scale(tensor.Add(second, c.f.wide(p, x2, 0, c.size)), -1)
}
