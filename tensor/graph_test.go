package tensor

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Any composition of operations, blocks and checkpoints, inside each other too, has the gradients that differences say, and leaks nothing.
func TestRandomGraphs(t *testing.T) {
	const seed = 11
	t.Logf("seed %d", seed)
	for n := range uint64(40) {
		d, c := counting()
		rng := rand.New(rand.NewPCG(seed, n))
		params := []*Tensor{random(d, rng, 3, 4), random(d, rng, 3, 4), random(d, rng, 4)}
		before := c.numbers
		loss := func(s *Scope) *Tensor {
			g := graph{rand.New(rand.NewPCG(seed+1, n)), s.Use(params[2])}
			return Sum(Mul(g.grow(s, []*Tensor{s.Use(params[0]), s.Use(params[1])}, 3), g.vector))
		}
		s := NewScope(d)
		grads := Backward(loss(s))
		s.Close()
		for _, p := range params {
			checkGradient(t, p, grads.Of(p), func() float64 {
				s := NewScope(d)
				defer s.Close()
				return loss(s).Item()
			})
		}
		grads.Release()
		require.Equal(t, before, c.numbers)
	}
}

// A graph is a random composition of operations on tensors [3×4] and a vector [4].
type graph struct {
	rng    *rand.Rand
	vector *Tensor
}

// grow makes some tensors of those there are, and is the sum of the new ones. Blocks nest so deep.
func (g graph) grow(s *Scope, all []*Tensor, depth int) *Tensor {
	all, old := slices.Clone(all), len(all)
	for range 4 {
		all = append(all, g.step(s, all, depth))
	}
	return Total(all[old], all[old+1:]...)
}

// step makes a tensor of those there are: in a block, in a checkpoint, which makes it twice, in a chain of either, or by one operation.
func (g graph) step(s *Scope, all []*Tensor, depth int) *Tensor {
	x := all[g.rng.IntN(len(all))]
	seed, kind := g.rng.Uint64(), g.rng.IntN(6)
	inside := func(in *Scope, x *Tensor) *Tensor {
		again := graph{rand.New(rand.NewPCG(seed, 0)), g.vector}
		return again.grow(in, append(slices.Clone(all), x), depth-1)
	}
	link := func(i int, in *Scope, x *Tensor) *Tensor {
		if i == 1 { // a link that makes nothing
			return x
		}
		return Apply(Sigmoid, inside(in, x))
	}
	switch {
	case depth > 0 && kind == 2:
		return s.Chain(x, 3, link)
	case depth > 0 && kind == 3:
		return s.CheckpointChain(x, 3, link)
	case depth > 0 && kind == 0:
		return Apply(Sigmoid, s.Block(x, inside))
	case depth > 0 && kind == 1:
		return Apply(Sigmoid, s.Checkpoint(x, inside))
	}
	return g.operation(x, all[g.rng.IntN(len(all))])
}

// operation is one of two tensors.
func (g graph) operation(x, y *Tensor) *Tensor {
	switch g.rng.IntN(13) {
	case 0:
		return Add(x, y)
	case 1:
		return Scale(Mul(x, y), 0.3)
	case 2:
		return Sub(x, g.vector)
	case 3:
		return Div(x, Shift(Apply(Square, y), 2))
	case 4:
		return Apply(Tanh, x)
	case 5:
		return Apply(GELU, x)
	case 6:
		return LayerNorm(x, g.vector, nil, 0.1)
	case 7:
		return Softmax(x)
	case 8:
		return Stack(nil, Rows(x, 1, 3), Rows(y, 0, 1))
	case 9:
		return Add(Columns(x, 1, 2), y)
	case 10:
		return Apply(Tanh, MatMul(MatMulT(x, y), Scale(x, 0.2)))
	case 11:
		return Reshape(Transpose(x), 3, 4)
	}
	return GatherRows(x, []int32{2, 2, -1}, nil)
}
