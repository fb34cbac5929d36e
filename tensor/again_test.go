package tensor

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What functions and normalisations make is not kept for the backward pass: it is made again.
func TestMadeAgain(t *testing.T) {
	d, c := counting()
	rng := rand.New(rand.NewPCG(3, 0))
	x, gain, w := random(d, rng, 5, 4), random(d, rng, 4), random(d, rng, 7, 4)
	s := NewScope(d)
	var y *Tensor
	_, numbers := c.since(func() {
		y = s.Block(s.Use(x), func(_ *Scope, x *Tensor) *Tensor {
			h := Apply(GELU, LayerNorm(x, gain, nil, 1e-5))
			return Add(MatMulT(h, w), MatMulT(h, w))
		})
	})
	require.Equal(t, 5*7+5*2, numbers, "the result and the rows' statistics")
	grads := Backward(Sum(y))
	s.Close()
	for _, p := range []*Tensor{x, gain, w} {
		checkGradient(t, p, grads.Of(p), func() float64 {
			s := NewScope(d)
			defer s.Close()
			h := Apply(GELU, LayerNorm(s.Use(x), gain, nil, 1e-5))
			return 2 * Sum(MatMulT(h, w)).Item()
		})
	}
}

// A value outlives what it was made of, where it is used after a backward pass has consumed that.
func TestMadeAgainNoMore(t *testing.T) {
	d, c := counting()
	x := random(d, rand.New(rand.NewPCG(4, 0)), 3, 4)
	before := c.numbers
	s := NewScope(d)
	h := Apply(GELU, Scale(s.Use(x), 1))
	first := Backward(Sum(h))
	y := s.Block(h.Detach(), func(_ *Scope, h *Tensor) *Tensor { return Mul(h, s.Use(x)) })
	second := Backward(Sum(y))
	require.Equal(t, h.Float64s(), second.Of(x).Float64s())
	first.Release()
	second.Release()
	s.Close()
	require.Equal(t, before, c.numbers)
}
