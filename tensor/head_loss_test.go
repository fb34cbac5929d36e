package tensor

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

var headLabels = []int32{2, Ignore, 0, 4, Ignore, 1}

// headLoss is the loss with so many rows at a time; 0: by way of all logits.
func headLossOf(s *Scope, rows int, x, w, scale *Tensor) *Tensor {
	x = Mul(s.Use(x), s.Use(x))
	gain := Apply(Tanh, s.Use(scale)) // made outside the chunks
	head := func(in *Scope, x *Tensor) *Tensor { return Dense{in.Use(w)}.Linear(Mul(x, gain), Affine{}) }
	if rows == 0 {
		return CrossEntropy(head(s, x), headLabels)
	}
	return Scale(HeadLoss(x, headLabels, rows, head), 1)
}

func headParams() (x, w, scale *Tensor) {
	rng := rand.New(rand.NewPCG(5, 6))
	d := Reference()
	return random(d, rng, 6, 4), random(d, rng, 5, 4), random(d, rng, 4)
}

func TestHeadLoss(t *testing.T) {
	x, w, scale := headParams()
	run := func(rows int) (float64, Grads) {
		s := NewScope(x.Device())
		defer s.Close()
		loss := headLossOf(s, rows, x, w, scale)
		return loss.Item(), BackwardInto(Grads{}, loss, 3)
	}
	want, wantGrads := run(0)
	for rows := 1; rows < 6; rows++ {
		got, grads := run(rows)
		require.InDelta(t, want, got, 1e-14)
		for _, p := range []*Tensor{x, w, scale} {
			require.InDeltaSlice(t, wantGrads.Of(p).Float64s(), grads.Of(p).Float64s(), 1e-14, "%d rows of %v", rows, p.Shape())
		}
	}
}

func TestHeadLossGradient(t *testing.T) {
	x, w, scale := headParams()
	value := func() *Tensor { return headLossOf(NewScope(x.Device()), 2, x, w, scale) }
	grads := Backward(value())
	for _, p := range []*Tensor{x, w, scale} {
		checkGradient(t, p, grads.Of(p), func() float64 { return value().Item() })
	}
}

// Without gradients, and with a frozen head or a frozen input, it is the same number.
func TestHeadLossFrozen(t *testing.T) {
	x, w, scale := headParams()
	s := NewScope(x.Device())
	defer s.Close()
	want := headLossOf(s, 0, x, w, scale).Item()
	require.InDelta(t, want, headLossOf(NewScope(x.Device()).NoGrad(), 2, x, w, scale).Item(), 1e-14)
	require.InDelta(t, want, headLossOf(s, 2, x.Detach(), w.Detach(), scale.Detach()).Item(), 1e-14)
	frozen := headLossOf(s, 2, x, w.Detach(), scale.Detach())
	require.InDelta(t, want, frozen.Item(), 1e-14)
	require.Equal(t, 1, Backward(frozen).Len())
}

func TestHeadLossRecomputed(t *testing.T) {
	x, w, scale := headParams()
	s := NewScope(x.Device())
	defer s.Close()
	want := Backward(headLossOf(s, 0, x, w, scale))
	got := Backward(s.Checkpoint(x, func(in *Scope, x *Tensor) *Tensor { return headLossOf(in, 2, x, w, scale) }))
	for _, p := range []*Tensor{x, w, scale} {
		require.InDeltaSlice(t, want.Of(p).Float64s(), got.Of(p).Float64s(), 1e-14)
	}
}

func TestHeadLossWithoutLabels(t *testing.T) {
	x, w, _ := headParams()
	all := []int32{Ignore, Ignore, Ignore, Ignore, Ignore, Ignore}
	loss := HeadLoss(x, all, 2, func(s *Scope, x *Tensor) *Tensor { return MatMulT(x, w) })
	require.True(t, math.IsNaN(loss.Item()))
	require.Panics(t, func() { HeadLoss(x, all[:2], 2, nil) })
}

// The gradients have the same bits whenever they are made: what flows through the chunks flows on in the order in which it was used.
func TestHeadLossRepeats(t *testing.T) {
	x, w, scale := headParams()
	run := func() (all [][]float64) {
		s := NewScope(x.Device())
		defer s.Close()
		trunk := Apply(Tanh, s.Use(scale))
		a, b, c := Mul(trunk, trunk), Apply(Exp, trunk), Apply(Sin, trunk)
		g := Backward(HeadLoss(Mul(s.Use(x), trunk), headLabels, 2, func(in *Scope, x *Tensor) *Tensor {
			return MatMulT(Mul(Mul(Mul(x, a), b), c), in.Use(w))
		}))
		for _, p := range []*Tensor{x, w, scale} {
			all = append(all, g.Of(p).Float64s())
		}
		return all
	}
	first := run()
	for range 50 {
		require.Equal(t, first, run())
	}
}

// A head may use what is outside in a checkpoint.
func TestHeadLossCheckpoint(t *testing.T) {
	x, w, scale := headParams()
	run := func(block func(*Scope, *Tensor, func(*Scope, *Tensor) *Tensor) *Tensor) (all [][]float64) {
		s := NewScope(x.Device())
		defer s.Close()
		gain := Apply(Tanh, s.Use(scale))
		g := Backward(Add(Sum(gain), HeadLoss(Mul(s.Use(x), gain), headLabels, 2, func(in *Scope, x *Tensor) *Tensor {
			return block(in, x, func(in *Scope, x *Tensor) *Tensor { return MatMulT(Mul(x, gain), in.Use(w)) })
		})))
		for _, p := range []*Tensor{x, w, scale} {
			all = append(all, g.Of(p).Float64s())
		}
		return all
	}
	want, got := run((*Scope).Block), run((*Scope).Checkpoint)
	for i := range want {
		require.InDeltaSlice(t, want[i], got[i], 1e-14)
	}
}

// Never are all logits there at once, nor their gradients.
func TestHeadLossMemory(t *testing.T) {
	const rows, size, classes, chunk = 256, 4, 500, 8
	d := CPU(1)
	x, w := random(d, rand.New(rand.NewPCG(1, 1)), rows, size), random(d, rand.New(rand.NewPCG(1, 2)), classes, size).Detach()
	labels := make([]int32, rows)
	before, _ := d.Memory()
	s := NewScope(d)
	defer s.Close()
	grads := Backward(HeadLoss(s.Use(x), labels, chunk, func(_ *Scope, x *Tensor) *Tensor { return MatMulT(x, w) }))
	defer grads.Release()
	_, peak := d.Memory()
	require.Less(t, peak-before, int64(4*rows*classes/4))
}
