package peft_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

func contains(part string) func(string) bool {
	return func(name string) bool { return strings.Contains(name, part) }
}

func TestMixture(t *testing.T) {
	const d, layers = pefttest.Size, pefttest.Layers
	small := adapter.Config{Activation: "tanh", Reduction: 4}
	for name, c := range map[string]struct {
		method peft.Mixture
		want   pefttest.Want
	}{
		"adapter": {peft.Mixture{Of: small, Experts: 3}, pefttest.Want{Trained: layers * 3 * (2*3*d + 3 + d), Different: true, Stays: true}},
		"one up": {
			peft.Mixture{Of: small, Experts: 4, One: contains("adapter_up")}, pefttest.Want{Trained: layers * (4*(3*d+3) + 3*d + d), Different: true, Stays: true},
		},
		"lora":   {peft.Mixture{Of: lora.Config{Rank: 2, On: maps, Head: true}, Experts: 3, Alike: true}, pefttest.Want{Trained: layers*2*3*4*d + pefttest.Classes*(d+1)}},
		"prefix": {peft.Mixture{Of: prefix.Config{Tokens: 2, Projection: true, Hidden: 3}, Experts: 2}, pefttest.Want{Trained: 2 * (2*d + 3*d + 3 + 3*4*d + 4*d), Different: true, Stays: true}},
		"single": {peft.Mixture{Of: lora.Config{Rank: 2, On: maps}, Experts: 1}, pefttest.Want{Trained: layers * 2 * 4 * d}},
	} {
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, c.want) })
	}
}

func TestMixtureRefusals(t *testing.T) {
	for says, m := range map[string]peft.Mixture{
		"Experts is 0, must be at least 1":                      {Of: lora.Config{Rank: 2, On: maps}},
		"lora.AdaLoRA moves its parameters by rules of its own": {Of: lora.AdaLoRA{InitRank: 4, TargetRank: 2, Common: lora.Common{On: maps}, Total: 10}, Experts: 2},
		"lora: Rank is 0": {Of: lora.Config{}, Experts: 2},
	} {
		_, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), m, 1)
		require.ErrorContains(t, err, says)
	}
}

// TestDraws wants a pass of training to draw one expert of each pool, weight and bias together, and passes to draw all of them in the end.
func TestDraws(t *testing.T) {
	dev := tensor.Reference()
	q, err := peft.Attach(dev, pefttest.NewModel(1), peft.Mixture{Of: adapter.Config{}, Experts: 3}, 1)
	require.NoError(t, err)
	for x := range q.Params() {
		for i, e := range x.Pool {
			values := make([]float64, e.Len())
			values[0] = float64(i)
			e.Assign(values)
		}
	}
	seen := map[string]map[float64]int{}
	for seed := range uint64(300) {
		p := peft.With(dev, q)
		p.Train, p.Seed = true, seed
		for x := range q.Params() {
			if seen[x.Name] == nil {
				seen[x.Name] = map[float64]int{}
			}
			expert := x.In(p).Float64s()[0]
			require.Equal(t, expert, x.In(p).Float64s()[0])
			require.Equal(t, expert, q.Param(strings.Replace(x.Name, ".bias", ".weight", 1)).In(p).Float64s()[0])
			seen[x.Name][expert]++
		}
		p.Close()
	}
	for name, draws := range seen {
		require.Len(t, draws, 3, name)
		for _, n := range draws {
			require.InDelta(t, 100, n, 40, name) // five standard deviations of 300 draws among three
		}
	}
	one, two := peft.With(dev, q), peft.With(dev, q)
	one.Seed, two.Seed = 5, 5
	require.Equal(t, one.Again().Key("x"), two.Again().Key("x"))
	require.NotEqual(t, one.Key("x"), one.Again().Key("x"))
}
