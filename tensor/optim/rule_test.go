package optim_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor"
	"peft/tensor/optim"
)

// gradients makes Grads that hold exactly the given values: those of Σ p·c by p.
func gradients(d *tensor.Device, params []optim.Param, values [][]float64) tensor.Grads {
	s := tensor.NewScope(d)
	defer s.Close()
	var grads tensor.Grads
	for i, p := range params {
		if values[i] == nil {
			continue
		}
		c := s.Tensor(values[i], p.Value.Shape()...)
		grads = tensor.BackwardInto(grads, tensor.Sum(tensor.Mul(s.Use(p.Value), c)), 1)
	}
	return grads
}

func param(d *tensor.Device, name string, values ...float64) optim.Param {
	return optim.Param{Name: name, Value: d.Param(values, len(values))}
}

// stepped runs a rule over the rows of gradients from p and returns where it ends.
func stepped(t *testing.T, rule optim.Rule, p []float64, rows [][]float64) []float64 {
	d := tensor.Reference()
	x := param(d, "x", p...)
	o, err := optim.New(optim.Group{Rule: rule, Params: []optim.Param{x}})
	require.NoError(t, err)
	for _, g := range rows {
		_, err = o.Step(gradients(d, []optim.Param{x}, [][]float64{g}), 1)
		require.NoError(t, err)
	}
	return x.Value.Float64s()
}

func TestFirstAdamWStepByHand(t *testing.T) {
	rule := optim.AdamW{LR: 0.1, Decay: 0.5, Eps: 1}
	got := stepped(t, rule, []float64{2, -1}, [][]float64{{3, -0.5}})
	// m̂ = g and √v̂ = |g|, so p·(1 − 0.05) − 0.1·g/(|g| + 1).
	require.InDeltaSlice(t, []float64{1.9 - 0.1*3/4, -0.95 + 0.1*0.5/1.5}, got, 1e-15)
}

func TestSGDByHand(t *testing.T) {
	rows := [][]float64{{1}, {2}}
	for name, c := range map[string]struct {
		rule optim.SGD
		want float64
	}{
		"plain":    {optim.SGD{LR: 0.1}, 10 - 0.1 - 0.2},
		"momentum": {optim.SGD{LR: 0.1, Momentum: 0.5}, 10 - 0.1*1 - 0.1*2.5},
		"nesterov": {optim.SGD{LR: 0.1, Momentum: 0.5, Nesterov: true}, 10 - 0.1*1.5 - 0.1*(2+0.5*2.5)},
		"decay":    {optim.SGD{LR: 0.1, Decay: 0.2}, 9.7 - 0.1*(2+0.2*9.7)},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, c.want, stepped(t, c.rule, []float64{10}, rows)[0], 1e-14)
		})
	}
}

// A twin is a rule written once more, in scalars and in PyTorch's order.
type twin func(p float64, grads []float64) float64

func adamW(a optim.AdamW) twin {
	return func(p float64, grads []float64) float64 {
		m, v := 0.0, 0.0
		for i, g := range grads {
			t := float64(i + 1)
			p -= a.LR * a.Decay * p
			m += (g - m) * (1 - a.Beta1)
			v = v*a.Beta2 + (1-a.Beta2)*g*g
			denominator := math.Sqrt(v)/math.Sqrt(1-math.Pow(a.Beta2, t)) + a.Eps
			p -= a.LR / (1 - math.Pow(a.Beta1, t)) * m / denominator
		}
		return p
	}
}

func sgd(s optim.SGD) twin {
	return func(p float64, grads []float64) float64 {
		buffer := 0.0
		for i, g := range grads {
			g += s.Decay * p
			if i == 0 {
				buffer = g
			} else {
				buffer = s.Momentum*buffer + g
			}
			if s.Nesterov {
				g += s.Momentum * buffer
			} else {
				g = buffer
			}
			p -= s.LR * g
		}
		return p
	}
}

func TestRulesAgreeWithTheirTwins(t *testing.T) {
	a := optim.AdamW{LR: 0.01, Beta1: 0.8, Beta2: 0.95, Eps: 1e-3, Decay: 0.1}
	s := optim.SGD{LR: 0.01, Momentum: 0.9, Decay: 0.1, Nesterov: true}
	rng := rand.New(rand.NewPCG(1, 2))
	const n, steps = 5, 20
	start, rows := normals(rng, n), make([][]float64, steps)
	for i := range rows {
		rows[i] = normals(rng, n)
	}
	for _, c := range []struct {
		rule optim.Rule
		twin twin
	}{{a, adamW(a)}, {s, sgd(s)}} {
		got := stepped(t, c.rule, start, rows)
		for j := range n {
			require.InDelta(t, c.twin(start[j], column(rows, j)), got[j], 1e-14, "%T", c.rule)
		}
	}
}

func TestRulesRefuseWhatIsOutOfRange(t *testing.T) {
	for want, rule := range map[string]optim.Rule{
		"AdamW.LR":     optim.AdamW{LR: -1},
		"AdamW.Beta1":  optim.AdamW{Beta1: 1},
		"AdamW.Eps":    optim.AdamW{Eps: math.NaN()},
		"SGD.Momentum": optim.SGD{Momentum: -0.1},
		"SGD.Decay":    optim.SGD{Decay: math.Inf(1)},
	} {
		_, err := optim.New(optim.Group{Rule: rule})
		require.ErrorContains(t, err, want)
	}
}

func normals(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

func column(rows [][]float64, j int) []float64 {
	v := make([]float64, len(rows))
	for i, row := range rows {
		v[i] = row[j]
	}
	return v
}
