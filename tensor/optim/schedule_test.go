package optim_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/optim"
)

func TestSchedules(t *testing.T) {
	half := math.Sqrt(0.5)
	for name, c := range map[string]struct {
		schedule optim.Schedule
		want     map[int]float64
	}{
		"constant":             {optim.Constant(), map[int]float64{0: 1, 99: 1}},
		"constant warmup":      {optim.ConstantWithWarmup(4), map[int]float64{0: 0, 1: 0.25, 4: 1, 99: 1}},
		"linear":               {optim.Linear(0, 10), map[int]float64{0: 1, 1: 0.9, 10: 0, 11: 0}},
		"linear warmup":        {optim.Linear(2, 10), map[int]float64{0: 0, 1: 0.5, 2: 1, 6: 0.5, 10: 0}},
		"linear all warmup":    {optim.Linear(4, 4), map[int]float64{0: 0, 2: 0.5, 3: 0.75, 4: 0}},
		"cosine":               {optim.Cosine(2, 10, 0.5), map[int]float64{1: 0.5, 2: 1, 4: (1 + half) / 2, 6: 0.5, 10: 0}},
		"cosine whole wave":    {optim.Cosine(0, 8, 1), map[int]float64{0: 1, 4: 0, 8: 1}},
		"cosine restarts":      {optim.CosineWithRestarts(0, 8, 2), map[int]float64{0: 1, 2: 0.5, 4: 1, 6: 0.5, 8: 0}},
		"polynomial":           {optim.Polynomial(0, 4, 0.2, 2), map[int]float64{0: 1, 2: 0.2 + 0.8/4, 4: 0.2, 5: 0.2}},
		"inverse sqrt":         {optim.InverseSqrt(4), map[int]float64{2: 0.5, 4: 1, 16: 0.5}},
		"inverse sqrt at once": {optim.InverseSqrt(0), map[int]float64{0: 1, 30_000: 0.5}},
	} {
		for step, want := range c.want {
			require.InDelta(t, want, c.schedule(step), 1e-15, "%s at step %d", name, step)
		}
	}
}

func TestNamedSchedules(t *testing.T) {
	for _, name := range optim.Names() {
		s, err := optim.Named(name, 2, 10)
		require.NoError(t, err)
		require.Equal(t, 0.5, s(1), name)
		require.Equal(t, 1.0, s(2), name)
	}
	_, err := optim.Named("exponential", 0, 10)
	require.ErrorContains(t, err, `no schedule is called "exponential"; there are constant, constant_with_warmup, cosine`)
	_, err = optim.Named("linear", -1, 10)
	require.ErrorContains(t, err, "-1 of warm-up")
}
