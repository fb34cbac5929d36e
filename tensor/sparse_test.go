package tensor

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A sparse weight computes what the dense one does that has the numbers added: values, rows, and all gradients.
func TestSparse(t *testing.T) {
	const out, in, n = 9, 7, 5
	rng := rand.New(rand.NewPCG(1, 2))
	normal := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		return v
	}
	numbers := make([]float32, out*in)
	for i := range numbers {
		numbers[i] = float32(rng.NormFloat64())
	}
	w, at := WeightOf(numbers, out, in), NewEntries(out, in, []int32{40, 3, 62, 0, 41, 17})
	values, input, bias, toward := normal(at.Len()), normal(n*in), normal(out), normal(n*out)
	for name, d := range map[string]*Device{"reference": Reference(), "cpu": CPU(2)} {
		for _, f := range []Func{Identity, Tanh, GELU} {
			run := func(of func(s *Scope, v *Tensor) Map) (result []float64, grads [][]float64) {
				s := NewScope(d)
				defer s.Close()
				x, v, b := d.Param(input, n, in), d.Param(values, at.Len()), d.Param(bias, out)
				m := of(s, s.Use(v))
				y := m.Linear(s.Use(x), Affine{Bias: s.Use(b), Func: f})
				z := Add(Mean(Mul(y, s.Tensor(toward, n, out))), Mean(m.Gather(s, []int32{5, 0, 8, 5})))
				g := Backward(z)
				defer g.Release()
				result = append(y.Float64s(), z.Item())
				return result, [][]float64{g.Of(x).Float64s(), g.Of(v).Float64s(), g.Of(b).Float64s()}
			}
			y, g := run(func(s *Scope, v *Tensor) Map { return Sparse{w, at, v} })
			want, wantG := run(func(s *Scope, v *Tensor) Map { return Dense{AddEntries(w.Dense(s), at, v)} })
			require.InDeltaSlice(t, want, y, 1e-5, name)
			for i := range wantG {
				require.InDeltaSlice(t, wantG[i], g[i], 1e-5, name)
			}
		}
	}
}

func TestEntriesRefuse(t *testing.T) {
	for _, flat := range [][]int32{{6}, {-1}, {2, 1, 2}} {
		require.Error(t, Try(func() error {
			NewEntries(2, 3, flat)
			return nil
		}))
	}
}
