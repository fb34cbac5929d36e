package reference

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// tolerance is how far an analytic gradient may be from a central difference of step 1e-5, whose own error is about 1e-10.
const (
	tolerance = 1e-6
	delta     = 1e-5
)

// random returns a matrix of normal numbers.
func random(rng *rand.Rand, rows, cols int) backend.Mat {
	m := New().zeros(rows, cols)
	each(m, func(i, j int) { *at(m, i, j) = rng.NormFloat64() })
	return m
}

// zeros returns a matrix of zeros.
func (b *Backend) zeros(rows, cols int) backend.Mat {
	m := backend.Dense(b.Alloc(rows*cols), 0, rows, cols)
	b.Fill(m, 0)
	return m
}

// inner is Σ a∘b.
func inner(a, b backend.Mat) float64 {
	sum := 0.0
	each(a, func(i, j int) { sum += *at(a, i, j) * *at(b, i, j) })
	return sum
}

// requireGradient compares got with the central differences of loss by each number of x.
func requireGradient(t *testing.T, name string, x, got backend.Mat, loss func() float64) {
	t.Helper()
	each(x, func(i, j int) {
		p := at(x, i, j)
		old := *p
		*p = old + delta
		up := loss()
		*p = old - delta
		down := loss()
		*p = old
		want := (up - down) / (2 * delta)
		require.InDelta(t, want, *at(got, i, j), tolerance*max(1, math.Abs(want)), "%s [%d][%d]", name, i, j)
	})
}

// newRand returns a source of numbers and prints its seed.
func newRand(t *testing.T) *rand.Rand {
	const seed = 7
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, seed))
}

func TestUnaryGrad(t *testing.T) {
	b, rng := New(), newRand(t)
	for f := backend.Identity; f <= backend.Softplus; f++ {
		x, w, y, dx := random(rng, 5, 7), random(rng, 5, 7), b.zeros(5, 7), b.zeros(5, 7)
		if f == backend.Log || f == backend.Sqrt || f == backend.Reciprocal {
			each(x, func(i, j int) { *at(x, i, j) = 0.1 + math.Abs(*at(x, i, j)) })
		}
		b.Unary(f, y, x)
		b.UnaryGrad(f, dx, x, y, w, 0)
		requireGradient(t, f.String(), x, dx, func() float64 {
			out := b.zeros(5, 7)
			b.Unary(f, out, x)
			return inner(out, w)
		})
	}
}

func TestLayerNormGrad(t *testing.T) {
	b, rng := New(), newRand(t)
	x, gain, bias, w := random(rng, 4, 6), random(rng, 1, 6), random(rng, 1, 6), random(rng, 4, 6)
	y, stats, dx, dgain, dbias := b.zeros(4, 6), b.zeros(4, 2), b.zeros(4, 6), b.zeros(1, 6), b.zeros(1, 6)
	loss := func() float64 {
		b.LayerNorm(y, stats, x, &gain, &bias, 1e-3)
		return inner(y, w)
	}
	loss()
	b.LayerNormGrad(&dx, &dgain, &dbias, w, x, stats, &gain, 0)
	requireGradient(t, "x", x, dx, loss)
	requireGradient(t, "gain", gain, dgain, loss)
	requireGradient(t, "bias", bias, dbias, loss)
}

func TestLayerNormGradWithoutGain(t *testing.T) {
	b, rng := New(), newRand(t)
	x, w, y, stats, dx := random(rng, 4, 6), random(rng, 4, 6), b.zeros(4, 6), b.zeros(4, 2), b.zeros(4, 6)
	loss := func() float64 {
		b.LayerNorm(y, stats, x, nil, nil, 1e-3)
		return inner(y, w)
	}
	loss()
	b.LayerNormGrad(&dx, nil, nil, w, x, stats, nil, 0)
	requireGradient(t, "x", x, dx, loss)
}

func TestRMSNormGrad(t *testing.T) {
	b, rng := New(), newRand(t)
	x, gain, w := random(rng, 4, 6), random(rng, 1, 6), random(rng, 4, 6)
	y, stats, dx, dgain := b.zeros(4, 6), b.zeros(4, 1), b.zeros(4, 6), b.zeros(1, 6)
	loss := func() float64 {
		b.RMSNorm(y, stats, x, &gain, 1e-3)
		return inner(y, w)
	}
	loss()
	b.RMSNormGrad(&dx, &dgain, w, x, stats, &gain, 0)
	requireGradient(t, "x", x, dx, loss)
	requireGradient(t, "gain", gain, dgain, loss)
}

func TestSoftmaxGrad(t *testing.T) {
	b, rng := New(), newRand(t)
	x, w, y, dx := random(rng, 3, 5), random(rng, 3, 5), b.zeros(3, 5), b.zeros(3, 5)
	loss := func() float64 {
		b.Softmax(y, x)
		return inner(y, w)
	}
	loss()
	b.SoftmaxGrad(dx, y, w, 0)
	requireGradient(t, "x", x, dx, loss)
}

func TestCrossEntropyGrad(t *testing.T) {
	b, rng := New(), newRand(t)
	label := []int32{2, -1, 0, 4}
	x, w, out, lse, dx := random(rng, 4, 5), random(rng, 4, 1), b.zeros(4, 1), b.zeros(4, 1), b.zeros(4, 5)
	loss := func() float64 {
		b.CrossEntropy(out, lse, x, label)
		return inner(out, w)
	}
	loss()
	b.CrossEntropyGrad(dx, x, lse, w, label, 0)
	requireGradient(t, "logits", x, dx, loss)
}

func TestRotateInverseIsGradient(t *testing.T) {
	b, rng := New(), newRand(t)
	for _, interleaved := range []bool{false, true} {
		r := &backend.Rotary{Heads: 2, Dim: 4, Freq: []float64{1, 0.1}, Scale: 1.3, Pos: []int32{0, 3, 11}, Interleaved: interleaved}
		x, w, y, dx := random(rng, 3, 12), random(rng, 3, 12), b.zeros(3, 12), b.zeros(3, 12)
		b.Rotate(dx, w, r, true, 0)
		requireGradient(t, "x", x, dx, func() float64 {
			b.Rotate(y, x, r, false, 0)
			return inner(y, w)
		})
	}
}

func TestRotateInverseTurnsBack(t *testing.T) {
	b, rng := New(), newRand(t)
	r := &backend.Rotary{Heads: 2, Dim: 4, Freq: []float64{1, 0.1}, Scale: 1, Pos: []int32{0, 3, 11}}
	x, y := random(rng, 3, 12), b.zeros(3, 12)
	b.Rotate(y, x, r, false, 0)
	b.Rotate(y, y, r, true, 0)
	each(x, func(i, j int) { require.InDelta(t, *at(x, i, j), *at(y, i, j), 1e-14) })
}
