package tensor

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// gradientCases are functions of parameters [4×6], [6], [3×6], [4×3]; the sum of each result times fixed numbers is differentiated.
var gradientCases = map[string]func(s *Scope, p []*Tensor) *Tensor{
	"add":        func(s *Scope, p []*Tensor) *Tensor { return Add(p[0], p[1]) },
	"add self":   func(s *Scope, p []*Tensor) *Tensor { return Add(p[0], p[0]) },
	"sub":        func(s *Scope, p []*Tensor) *Tensor { return Sub(p[1], p[0]) },
	"mul":        func(s *Scope, p []*Tensor) *Tensor { return Mul(p[0], p[1]) },
	"mul self":   func(s *Scope, p []*Tensor) *Tensor { return Mul(p[0], p[0]) },
	"div":        func(s *Scope, p []*Tensor) *Tensor { return Div(p[0], Shift(Apply(Square, p[1]), 1)) },
	"column":     func(s *Scope, p []*Tensor) *Tensor { return Mul(p[0], SumCols(p[3])) },
	"gated":      func(s *Scope, p []*Tensor) *Tensor { return Gated(SiLU, p[0], MatMul(p[3], p[2])) },
	"gated self": func(s *Scope, p []*Tensor) *Tensor { return Gated(Tanh, p[0], p[0]) },
	"matmul":     func(s *Scope, p []*Tensor) *Tensor { return MatMul(p[3], p[2]) },
	"matmulT":    func(s *Scope, p []*Tensor) *Tensor { return MatMulT(p[0], p[2]) },
	"tmatmul":    func(s *Scope, p []*Tensor) *Tensor { return TMatMul(p[0], p[3]) },
	"transpose":  func(s *Scope, p []*Tensor) *Tensor { return Transpose(p[0]) },
	"blocks":     func(s *Scope, p []*Tensor) *Tensor { return BlockMatMul(p[0], Reshape(p[2], 3, 2, 3)) },
	"inverse":    func(s *Scope, p []*Tensor) *Tensor { return Inverse(Reshape(p[3], 3, 2, 2)) },
	"fourier": func(s *Scope, p []*Tensor) *Tensor {
		return Apply(Square, InverseFourier(p[1], []int32{3, 14, 0, 7, 8, 11}, 3, 5))
	},
	"sums":    func(s *Scope, p []*Tensor) *Tensor { return Add(SumRows(p[0]), Sum(p[3])) },
	"mean":    func(s *Scope, p []*Tensor) *Tensor { return Mean(Mul(p[0], p[0])) },
	"dropout": func(s *Scope, p []*Tensor) *Tensor { return Dropout(p[0], 0.3, 7) },
	"rows":    func(s *Scope, p []*Tensor) *Tensor { return Mul(Rows(p[0], 1, 3), Rows(p[0], 0, 2)) },
	"columns": func(s *Scope, p []*Tensor) *Tensor { return Mul(Columns(p[0], 1, 4), Columns(p[0], 3, 6)) },
	"reshape": func(s *Scope, p []*Tensor) *Tensor { return Mul(Reshape(p[0], 3, 8), Reshape(p[0], 3, 8)) },
	"reshape view": func(s *Scope, p []*Tensor) *Tensor {
		return Apply(Square, Reshape(Columns(p[0], 1, 4), 2, 6))
	},
	"gather": func(s *Scope, p []*Tensor) *Tensor {
		return Apply(Square, GatherRows(p[0], []int32{2, -1, 0, 2}, nil))
	},
	"addrows": func(s *Scope, p []*Tensor) *Tensor {
		return Apply(Square, AddRows(p[0], Rows(p[2], 0, 2), []int32{3, 1}))
	},
	"stack":     func(s *Scope, p []*Tensor) *Tensor { return Apply(Square, Stack(nil, p[0], p[2], p[0])) },
	"meanrows":  func(s *Scope, p []*Tensor) *Tensor { return Apply(Square, MeanRows(p[0].WithLayout(NewLayout(1, 3)))) },
	"virtual":   func(s *Scope, p []*Tensor) *Tensor { return Apply(Square, MeanRows(p[0].WithLayout(virtualLayout()))) },
	"layernorm": func(s *Scope, p []*Tensor) *Tensor { return LayerNorm(p[0], p[1], Rows(p[2], 0, 1), 1e-5) },
	"rmsnorm":   func(s *Scope, p []*Tensor) *Tensor { return RMSNorm(p[0], p[1], 1e-5) },
	"softmax":   func(s *Scope, p []*Tensor) *Tensor { return Softmax(p[0]) },
	"loss":      func(s *Scope, p []*Tensor) *Tensor { return CrossEntropy(p[0], []int32{2, Ignore, 0, 5}) },
	"head loss": func(s *Scope, p []*Tensor) *Tensor {
		shared := Apply(Tanh, p[1])
		return HeadLoss(Apply(Sin, p[0]), []int32{2, Ignore, 0, 1}, 2, func(in *Scope, x *Tensor) *Tensor { return MatMulT(Mul(x, shared), in.Use(p[2])) })
	},
	"rotate": func(s *Scope, p []*Tensor) *Tensor {
		return Rotate(p[0].WithLayout(NewLayout(1, 3)), 1, Rotary{Freq: []float64{1, 0.3}})
	},
	"attend": func(s *Scope, p []*Tensor) *Tensor {
		l := NewLayout(1, 3)
		return Attend(p[0].WithLayout(l), MatMul(p[3], p[2]).WithLayout(l), p[0].WithLayout(l), Attention{Heads: 2, Mask: Mask{Causal: true}, Dropout: 0.2, Key: 3})
	},
	"attend value": func(s *Scope, p []*Tensor) *Tensor {
		l := NewLayout(4)
		fixed := fixedWeight().Dense(s)
		fixed = Stack(l, fixed, Rows(fixed, 0, 1))
		return Attend(fixed, fixed, p[0].WithLayout(l), Attention{Heads: 3})
	},
	"linear": func(s *Scope, p []*Tensor) *Tensor {
		return fixedWeight().Linear(p[0], Affine{Bias: Rows(p[3], 0, 1), Func: GELU})
	},
	"linear low": func(s *Scope, p []*Tensor) *Tensor {
		return fixedWeight().Linear(p[0], Affine{Low: &LowRank{X: p[0], A: Rows(p[2], 0, 2), B: Reshape(Rows(p[0], 0, 1), 3, 2), Scale: 0.7}, Func: Tanh})
	},
	"linear low dropped": func(s *Scope, p []*Tensor) *Tensor {
		return fixedWeight().Linear(p[0], Affine{Low: &LowRank{X: Dropout(p[0], 0.5, 1), A: Rows(p[2], 0, 2), B: Reshape(Rows(p[0], 0, 1), 3, 2), Scale: 0.7}})
	},
	"dense": func(s *Scope, p []*Tensor) *Tensor {
		return Dense{p[2]}.Linear(p[0], Affine{Bias: Rows(p[3], 0, 1), Func: SiLU})
	},
	"block": func(s *Scope, p []*Tensor) *Tensor {
		return s.Block(p[0], func(in *Scope, x *Tensor) *Tensor { return Mul(Apply(GELU, x), in.Use(p[1])) })
	},
	"block in block": func(s *Scope, p []*Tensor) *Tensor {
		return s.Block(p[0], func(s *Scope, x *Tensor) *Tensor {
			return Mul(x, s.Block(Mul(x, p[1]), func(_ *Scope, x *Tensor) *Tensor { return Apply(GELU, Apply(Sin, x)) }))
		})
	},
	"checkpoint": func(s *Scope, p []*Tensor) *Tensor {
		return s.Checkpoint(Apply(Tanh, p[0]), func(in *Scope, x *Tensor) *Tensor {
			return Mul(Apply(GELU, x), Add(in.Use(p[1]), x))
		})
	},
	"checkpoint leaf": func(s *Scope, p []*Tensor) *Tensor {
		return s.Checkpoint(p[0], func(in *Scope, x *Tensor) *Tensor { return Mul(Apply(GELU, x), x) })
	},
}

func fixedWeight() *Weight {
	rng := rand.New(rand.NewPCG(5, 5))
	v := make([]float32, 18)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return WeightOf(v, 3, 6)
}

func virtualLayout() *Layout {
	l := NewLayout(2, 2)
	l.Virtual = []bool{true, false, false, false}
	return l
}

func TestGradients(t *testing.T) {
	d := Reference()
	for name, f := range gradientCases {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			params := []*Tensor{random(d, rng, 4, 6), random(d, rng, 6), random(d, rng, 3, 6), random(d, rng, 4, 3)}
			params[1] = Reshape(params[1], 6)
			params[1].param = params[1]
			value := func() *Tensor {
				s := NewScope(d)
				used := make([]*Tensor, len(params))
				for i, p := range params {
					used[i] = s.Use(p)
				}
				y := f(s, used)
				c := random(d, rand.New(rand.NewPCG(3, 4)), y.Shape()...).Detach()
				return Sum(Mul(y, c))
			}
			grads := Backward(value())
			for _, p := range params {
				checkGradient(t, p, grads.Of(p), func() float64 { return value().Item() })
			}
		})
	}
}

func random(d *Device, rng *rand.Rand, shape ...int) *Tensor {
	v := make([]float64, size(shape))
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return d.Param(v, shape...)
}

// checkGradient compares with central differences, entry by entry.
func checkGradient(t *testing.T, p, grad *Tensor, value func() float64) {
	x, got := p.Float64s(), make([]float64, p.Len())
	if grad != nil {
		got = grad.Float64s()
	}
	const h = 1e-5
	for i := range x {
		at := x[i]
		x[i] = at + h
		p.Assign(x)
		up := value()
		x[i] = at - h
		p.Assign(x)
		down := value()
		x[i] = at
		p.Assign(x)
		want := (up - down) / (2 * h)
		require.InDelta(t, want, got[i], 1e-6*math.Max(1, math.Abs(want)), "entry %d of %v", i, p.Shape())
	}
}

// What a checkpointed block takes from outside gets its gradient too, once, however many blocks use it.
func TestCheckpointShares(t *testing.T) {
	d := Reference()
	rng := rand.New(rand.NewPCG(9, 9))
	x, w := random(d, rng, 3, 4), random(d, rng, 4)
	run := func(block func(*Scope, *Tensor, func(*Scope, *Tensor) *Tensor) *Tensor) (float64, Grads) {
		s := NewScope(d)
		defer s.Close()
		shared := Apply(Tanh, s.Use(w))
		y := s.Use(x)
		for range 3 {
			y = block(s, y, func(in *Scope, y *Tensor) *Tensor { return Apply(Sigmoid, Mul(y, shared)) })
		}
		loss := Sum(Mul(y, y))
		return loss.Item(), Backward(loss)
	}
	loss, want := run((*Scope).Block)
	again, got := run((*Scope).Checkpoint)
	require.Equal(t, loss, again)
	require.Equal(t, want.Of(x).Float64s(), got.Of(x).Float64s())
	require.InDeltaSlice(t, want.Of(w).Float64s(), got.Of(w).Float64s(), 1e-15)
}
