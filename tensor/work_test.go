package tensor

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A stack is layers of frozen linear maps [size×size] over rows of numbers, with one thing that is trained at layer at.
type stack struct {
	rows, size, rank, layers, at int
	activation                   Func
	trained                      func(x *Tensor, k *stack) Affine
	params                       []*Tensor
	weights                      []*Weight
	input                        *Tensor
}

// newStack is a stack of 5 layers.
func newStack(d *Device, at int, f Func, trained func(x *Tensor, k *stack) Affine) *stack {
	rng := rand.New(rand.NewPCG(1, uint64(at)))
	k := &stack{rows: 7, size: 12, rank: 3, layers: 5, at: at, activation: f, trained: trained}
	for range k.layers {
		v := make([]float32, k.size*k.size)
		for i := range v {
			v[i] = rng.Float32() - 0.5
		}
		k.weights = append(k.weights, WeightOf(v, k.size, k.size))
		k.weights[len(k.weights)-1].on(d)
	}
	k.input = random(d, rng, k.rows, k.size).Detach()
	k.params = []*Tensor{random(d, rng, k.rank, k.size), random(d, rng, k.size, k.rank), random(d, rng, k.size)}
	return k
}

// lowRank trains a product of low rank beside the map; bias trains a bias of the map.
func lowRank(x *Tensor, k *stack) Affine {
	return Affine{Func: k.activation, Low: &LowRank{X: x, A: k.params[0], B: k.params[1], Scale: 2}}
}

func bias(_ *Tensor, k *stack) Affine { return Affine{Func: k.activation, Bias: k.params[2]} }

// forward is a layer after the other, each in a block of its own; a checkpoint where so.
func (k *stack) forward(s *Scope, checkpoint bool) *Tensor {
	block := s.Block
	if checkpoint {
		block = s.Checkpoint
	}
	x := s.Use(k.input)
	for n, w := range k.weights {
		x = block(x, func(_ *Scope, x *Tensor) *Tensor {
			if n == k.at {
				return w.Linear(x, k.trained(x, k))
			}
			return w.Linear(x, Affine{Func: k.activation})
		})
	}
	return x
}

// A frozen map costs one product forward and one backward, and the latter only above what is trained; no gradient by a weight is formed. Gradients need
// the input and the inner product of the low rank, and the values before each function from the trained layer on; the scope has the results of its blocks.
func TestWork(t *testing.T) {
	for _, f := range []Func{Identity, GELU} {
		for at := range 5 {
			t.Run(fmt.Sprint(f, at), func(t *testing.T) {
				d, c := counting()
				k := newStack(d, at, f, lowRank)
				full, thin, rows := k.rows*k.size*k.size, k.rows*k.size*k.rank, k.rows*k.size
				s := NewScope(d)
				defer s.Close()
				var loss *Tensor
				work, live := c.since(func() { loss = Sum(k.forward(s, false)) })
				require.Equal(t, k.layers*full+2*thin, work, "forward")
				inputs, inner, before := min(at, 1)*rows, k.rows*k.rank, 0
				if f != Identity {
					before = (k.layers - at) * rows
				}
				require.Equal(t, inputs+inner+before, held(loss), "numbers that gradients need")
				require.Equal(t, 1+k.layers*rows+inner+before, live, "live numbers")
				var g Grads
				work, _ = c.since(func() { g = Backward(loss) })
				require.Equal(t, (k.layers-1-at)*full+3*thin, work, "backward")
				require.Equal(t, 2, g.Len())
			})
		}
	}
}

// held is how many numbers the history of a tensor keeps for gradients, parameters and constants apart.
func held(t *Tensor) (numbers int) {
	seen := map[*storage]bool{}
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil {
			return
		}
		for _, s := range n.kept {
			if !seen[s] && !s.pinned {
				numbers += s.buf.Len()
			}
			seen[s] = true
		}
		for _, x := range n.inputs {
			walk(x.node)
		}
	}
	walk(t.node)
	return numbers
}

// A trained bias needs no products and keeps nothing of its own.
func TestWorkOfBias(t *testing.T) {
	d, c := counting()
	k := newStack(d, 2, Identity, bias)
	s := NewScope(d)
	defer s.Close()
	loss := Sum(k.forward(s, false))
	require.Zero(t, held(loss))
	work, _ := c.since(func() { Backward(loss) })
	require.Equal(t, 2*k.rows*k.size*k.size, work)
}

// Nothing is kept, and nothing computed backward, where nothing is trained.
func TestWorkOfNothing(t *testing.T) {
	d, c := counting()
	k := newStack(d, -1, GELU, nil)
	s := NewScope(d)
	defer s.Close()
	work, live := c.since(func() { require.False(t, k.forward(s, false).Wants()) })
	require.Equal(t, k.layers*k.rows*k.size*k.size, work)
	require.Equal(t, k.layers*k.rows*k.size, live)
}

// A checkpoint keeps the inputs of the blocks from what is trained on and pays for their forward pass twice; blocks below are not run again.
func TestWorkOfCheckpoint(t *testing.T) {
	d, c := counting()
	k := newStack(d, 2, GELU, lowRank)
	full, thin, rows := k.rows*k.size*k.size, k.rows*k.size*k.rank, k.rows*k.size
	s := NewScope(d)
	defer s.Close()
	var loss *Tensor
	work, live := c.since(func() { loss = Sum(k.forward(s, true)) })
	require.Equal(t, k.layers*full+2*thin, work)
	require.Equal(t, (k.layers-k.at)*rows, held(loss))
	require.Equal(t, 1+k.layers*rows, live)
	work, _ = c.since(func() { Backward(loss) })
	again, back := (k.layers-k.at)*full+2*thin, (k.layers-1-k.at)*full+3*thin
	require.Equal(t, again+back, work)
}

// A trained matrix costs a product more than a frozen one.
func TestWorkOfDense(t *testing.T) {
	d, c := counting()
	rng := rand.New(rand.NewPCG(2, 2))
	x, w := random(d, rng, 7, 12).Detach(), random(d, rng, 5, 12)
	s := NewScope(d)
	defer s.Close()
	var loss *Tensor
	work, live := c.since(func() { loss = Sum(Dense{w}.Linear(s.Use(x), Affine{})) })
	require.Equal(t, 7*12*5, work)
	require.Equal(t, 1+7*5, live)
	work, _ = c.since(func() { Backward(loss) })
	require.Equal(t, 7*12*5, work)
}
