package tensor

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// chained is the stack's forward pass as one chain.
func (k *stack) chained(s *Scope, checkpoint bool) *Tensor {
	chain := s.Chain
	if checkpoint {
		chain = s.CheckpointChain
	}
	return chain(s.Use(k.input), len(k.weights), func(n int, _ *Scope, x *Tensor) *Tensor {
		if n == k.at {
			return k.weights[n].Linear(x, k.trained(x, k))
		}
		return k.weights[n].Linear(x, Affine{Func: k.activation})
	})
}

// A chain has the memory of two results below what is trained, and where nothing is recorded; above, that of what gradients need.
func TestChainFrees(t *testing.T) {
	for at := -1; at < 5; at++ {
		for _, noGrad := range []bool{false, true} {
			d, c := counting()
			k := newStack(d, at, GELU, lowRank)
			s := NewScope(d)
			if noGrad {
				s.NoGrad()
			}
			before, rows := c.numbers, k.rows*k.size
			c.peak = before
			y := k.chained(s, false)
			kept := 0
			if y.Wants() {
				kept = held(y)
			}
			require.Equal(t, before+rows+kept, c.numbers, "at %d", at)
			if at < 0 || noGrad {
				require.LessOrEqual(t, c.peak-before, 2*rows+k.rows*k.rank, "at %d", at)
			}
			s.Close()
			require.Equal(t, before, c.numbers)
		}
	}
}

// A chain of checkpoints keeps the inputs of its blocks from what is trained on.
func TestCheckpointChainFrees(t *testing.T) {
	d, c := counting()
	k := newStack(d, 2, GELU, lowRank)
	s := NewScope(d)
	defer s.Close()
	rows := k.rows * k.size
	_, live := c.since(func() { k.chained(s, true) })
	require.Equal(t, (k.layers-k.at)*rows+rows, live)
}

// The gradients through a chain are those through blocks, bit for bit, whatever a block's result is.
func TestChainGradients(t *testing.T) {
	links := map[string]func(s *Scope, x, outer *Tensor) *Tensor{
		"made":   func(_ *Scope, x, outer *Tensor) *Tensor { return Mul(x, outer) },
		"input":  func(_ *Scope, x, _ *Tensor) *Tensor { return x },
		"window": func(_ *Scope, x, _ *Tensor) *Tensor { return Rows(x, 0, 2) },
		"outer":  func(_ *Scope, _, outer *Tensor) *Tensor { return outer },
		"inner": func(s *Scope, x, outer *Tensor) *Tensor {
			return s.Block(x, func(_ *Scope, x *Tensor) *Tensor { return Mul(x, outer) })
		},
	}
	for first, f := range links {
		for second, g := range links {
			t.Run(first+" "+second, func(t *testing.T) {
				link := func(i int, s *Scope, x, outer *Tensor) *Tensor {
					outer = Rows(outer, 0, x.Rows())
					if i%2 == 0 {
						return f(s, Apply(Tanh, Apply(Square, x)), outer)
					}
					return g(s, x, outer)
				}
				var want []float64
				for n, run := range []func(s *Scope, x, outer *Tensor) *Tensor{
					func(s *Scope, x, outer *Tensor) *Tensor {
						for i := range 4 {
							x = s.Block(x, func(s *Scope, x *Tensor) *Tensor { return link(i, s, x, outer) })
						}
						return x
					},
					func(s *Scope, x, outer *Tensor) *Tensor {
						return s.Chain(x, 4, func(i int, s *Scope, x *Tensor) *Tensor { return link(i, s, x, outer) })
					},
					func(s *Scope, x, outer *Tensor) *Tensor {
						return s.CheckpointChain(x, 4, func(i int, s *Scope, x *Tensor) *Tensor { return link(i, s, x, outer) })
					},
				} {
					d, c := counting()
					p := operands(d)[0]
					before := c.numbers
					s := NewScope(d)
					outer := Scale(s.Use(p), 3)
					y := run(s, s.Use(p), outer)
					grads := Backward(Add(Sum(Mul(y, y)), Sum(outer)))
					got := grads.Of(p).Float64s()
					s.Close()
					grads.Release()
					require.Equal(t, before, c.numbers)
					if n == 0 {
						want = got
					}
					require.InDeltaSlice(t, want, got, 1e-12)
				}
			})
		}
	}
}

// What a chain has let go of cannot be used by mistake.
func TestChainLetsGo(t *testing.T) {
	d := Reference()
	s := NewScope(d).NoGrad()
	defer s.Close()
	var first *Tensor
	s.Chain(d.Constant(nil, 2, 2), 3, func(i int, _ *Scope, x *Tensor) *Tensor {
		if i == 1 {
			first = x
		}
		return Apply(Exp, x)
	})
	for _, use := range []func(){func() { first.Float64s() }, func() { Apply(Exp, first) }} {
		var misuse *ShapeError
		require.ErrorAs(t, Try(func() error { use(); return nil }), &misuse)
		require.Contains(t, misuse.Error(), "has been freed")
	}
}
