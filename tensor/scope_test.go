package tensor

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// operands are parameters [4×6], [6], [3×6], [4×3], as gradientCases take them.
func operands(d *Device) []*Tensor {
	rng := rand.New(rand.NewPCG(1, 2))
	return []*Tensor{random(d, rng, 4, 6), random(d, rng, 6), random(d, rng, 3, 6), random(d, rng, 4, 3)}
}

// value is the sum of the squares of what f makes of the parameters.
func value(s *Scope, params []*Tensor, f func(s *Scope, p []*Tensor) *Tensor) *Tensor {
	used := make([]*Tensor, len(params))
	for i, p := range params {
		used[i] = s.Use(p)
	}
	y := f(s, used)
	return Sum(Mul(y, y))
}

// Every buffer that an operation takes is given back, whether the backward pass runs or not, and whether anything is recorded or not.
func TestNothingLeaks(t *testing.T) {
	for name, f := range gradientCases {
		t.Run(name, func(t *testing.T) {
			d, c := counting()
			params := operands(d)
			before := c.numbers
			ends := map[string]func(s *Scope, loss *Tensor){
				"forward":  func(s *Scope, _ *Tensor) { s.Close() },
				"backward": func(s *Scope, loss *Tensor) { g := Backward(loss); s.Close(); g.Release() },
				"released": func(s *Scope, loss *Tensor) { Backward(loss).Release(); s.Close() },
			}
			for end, finish := range ends {
				s := NewScope(d)
				finish(s, value(s, params, f))
				require.Equal(t, before, c.numbers, end)
			}
			s := NewScope(d).NoGrad()
			require.False(t, value(s, params, f).Wants())
			s.Close()
			require.Equal(t, before, c.numbers, "without gradients")
		})
	}
}

// Gradients live on when the scope is closed, and add up over micro-batches.
func TestGradsOutliveScopes(t *testing.T) {
	d, c := counting()
	params := operands(d)
	before := c.numbers
	var g Grads
	for range 3 {
		s := NewScope(d)
		g = BackwardInto(g, value(s, params, gradientCases["layernorm"]), 0.5)
		s.Close()
	}
	require.Equal(t, 3, g.Len())
	s := NewScope(d)
	once := Backward(value(s, params, gradientCases["layernorm"]))
	s.Close()
	for _, p := range params[:3] {
		want := once.Of(p).Float64s()
		for i, v := range g.Of(p).Float64s() {
			require.InDelta(t, 1.5*want[i], v, 1e-12)
		}
	}
	require.Nil(t, g.Of(params[3]))
	once.Release()
	g.Release()
	require.Equal(t, before, c.numbers)
	require.Zero(t, g.Len())
}

// A block frees what it made, but for its result and what gradients need.
func TestBlockFrees(t *testing.T) {
	d, c := counting()
	x := d.Constant(nil, 4, 6)
	s := NewScope(d)
	defer s.Close()
	_, live := c.since(func() {
		s.Block(s.Use(x), func(_ *Scope, x *Tensor) *Tensor {
			for range 5 {
				x = Apply(Tanh, x)
			}
			return x
		})
	})
	require.Equal(t, 4*6, live)
}

// A result may be the block's input, a window of it, or made outside; its gradient is the same with and without a block around it.
func TestBlockResults(t *testing.T) {
	type block = func(*Scope, *Tensor, func(*Scope, *Tensor) *Tensor) *Tensor
	results := map[string]func(s *Scope, x, outer *Tensor) *Tensor{
		"input":     func(_ *Scope, x, _ *Tensor) *Tensor { return x },
		"window":    func(_ *Scope, x, _ *Tensor) *Tensor { return Rows(Scale(x, 2), 1, 3) },
		"outer":     func(_ *Scope, _, outer *Tensor) *Tensor { return outer },
		"part":      func(_ *Scope, _, outer *Tensor) *Tensor { return Columns(outer, 1, 3) },
		"used part": func(_ *Scope, x, outer *Tensor) *Tensor { return Mul(Columns(x, 0, 2), Columns(outer, 1, 3)) },
		"inside": func(s *Scope, x, outer *Tensor) *Tensor {
			return s.Block(x, func(s *Scope, x *Tensor) *Tensor {
				inner := Mul(x, outer)
				return s.Checkpoint(x, func(_ *Scope, x *Tensor) *Tensor { return Apply(Square, Mul(x, inner)) })
			})
		},
		"nested": func(s *Scope, x, outer *Tensor) *Tensor {
			return s.Checkpoint(x, func(s *Scope, x *Tensor) *Tensor { return Mul(x, s.Use(outer)) })
		},
	}
	for name, f := range results {
		t.Run(name, func(t *testing.T) {
			plain := func(s *Scope, x *Tensor, f func(*Scope, *Tensor) *Tensor) *Tensor { return f(s, x) }
			var grads [][]float64
			for _, around := range []block{plain, (*Scope).Block, (*Scope).Checkpoint} {
				d, c := counting()
				p := operands(d)[0]
				before := c.numbers
				s := NewScope(d)
				outer := Scale(s.Use(p), 5)
				y := around(s, s.Use(p), func(in *Scope, x *Tensor) *Tensor { return f(in, x, outer) })
				g := Backward(Add(Sum(Mul(y, y)), Sum(outer)))
				grads = append(grads, g.Of(p).Float64s())
				s.Close()
				g.Release()
				require.Equal(t, before, c.numbers)
			}
			require.InDeltaSlice(t, grads[0], grads[1], 1e-12)
			require.InDeltaSlice(t, grads[0], grads[2], 1e-12)
		})
	}
}

// A step in the steady state has the same number of live numbers as the first one, at its peak, too.
func TestSteadyState(t *testing.T) {
	d, c := counting()
	k := newStack(d, 2, GELU, lowRank)
	peak := 0
	for n := range 4 {
		before := c.numbers
		c.peak = before
		s := NewScope(d)
		g := Backward(Sum(k.forward(s, n%2 == 1)))
		s.Close()
		g.Release()
		require.Equal(t, before, c.numbers)
		if n == 1 {
			require.Less(t, c.peak, peak, "a checkpoint needs less")
		}
		peak = max(peak, c.peak)
		require.LessOrEqual(t, c.peak, peak)
	}
}

// Goroutines with scopes of their own share parameters and frozen weights: each makes the numbers that it makes alone.
func TestConcurrent(t *testing.T) {
	for _, d := range []*Device{Reference(), CPU(2)} {
		params, w := operands(d), fixedWeight()
		step := func() (loss float64, grads [][]float64) {
			s := NewScope(d)
			defer s.Close()
			l := value(s, params, func(s *Scope, p []*Tensor) *Tensor {
				y := w.Linear(p[0], Affine{Low: &LowRank{X: p[0], A: Rows(p[2], 0, 2), B: Reshape(Rows(p[0], 0, 1), 3, 2), Scale: 0.7}, Func: GELU})
				y = s.Checkpoint(y, func(in *Scope, y *Tensor) *Tensor { return Mul(Softmax(y), in.Use(p[3])) })
				return Add(y, Rows(Columns(w.Constant(d), 0, 3), 1, 2))
			})
			g := Backward(l)
			defer g.Release()
			for _, p := range params {
				if g.Of(p) != nil {
					grads = append(grads, g.Of(p).Float64s())
				}
			}
			return l.Item(), grads
		}
		var group sync.WaitGroup
		losses, grads := make([]float64, 8), make([][][]float64, 8)
		for n := range losses {
			group.Go(func() { losses[n], grads[n] = step() })
		}
		group.Wait()
		loss, alone := step()
		for n := range losses {
			require.Equal(t, loss, losses[n])
			require.Equal(t, alone, grads[n])
		}
	}
}
