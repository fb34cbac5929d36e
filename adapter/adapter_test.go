package adapter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// The numbers of one bottleneck of width r, and of the head, in the laws' model.
func cell(r int) int { return 2*pefttest.Size*r + r + pefttest.Size }

const head = pefttest.Classes * (pefttest.Size + 1)

// both are the sublayers of attention and of the feed-forward network.
var both = []peft.Role{peft.SelfBlock, peft.FFN}

// smooth is a preset for the law of gradients, which a kink of ReLU could break.
func smooth(c adapter.Config, change func(*adapter.Config)) adapter.Config {
	c.Activation, c.Reduction = "tanh", 4
	if change != nil {
		change(&c)
	}
	return c
}

func TestLaws(t *testing.T) {
	const layers, d = pefttest.Layers, pefttest.Size
	for name, c := range map[string]struct {
		method   adapter.Config
		trained  int
		identity bool
	}{
		"zero value":     {adapter.Config{Activation: "silu"}, layers * cell(1), false},
		"pfeiffer":       {smooth(adapter.Pfeiffer(), nil), layers * cell(3), false},
		"houlsby":        {smooth(adapter.Houlsby(), nil), 2 * layers * cell(3), false},
		"parallel":       {smooth(adapter.Parallel(), nil), layers * cell(3), true},
		"scaled":         {smooth(adapter.ScaledParallel(), nil), layers * (cell(3) + 1), true},
		"plus":           {smooth(adapter.Plus(), nil), layers * (cell(3) + d), false},
		"compacter":      {smooth(adapter.Compacter(), func(c *adapter.Config) { c.Reduction, c.PHM.Dim = 3, 2 }), 2*layers*(3*d+3*4) + 8, false},
		"compacter++":    {smooth(adapter.CompacterPlusPlus(), func(c *adapter.Config) { c.Reduction, c.PHM.Dim = 3, 2 }), layers*(3*d+3*4) + 8, false},
		"names":          {smooth(adapter.Houlsby(), func(c *adapter.Config) { c.Name, c.Head = "task", true }), 2*layers*cell(3) + head, false},
		"left out":       {smooth(adapter.Houlsby(), func(c *adapter.Config) { c.LeaveOut = []int{1} }), 2 * (layers - 1) * cell(3), false},
		"per block":      {smooth(adapter.Pfeiffer(), func(c *adapter.Config) { c.Reductions = map[int]float64{1: 2} }), cell(3) + cell(6), false},
		"wider":          {smooth(adapter.Pfeiffer(), func(c *adapter.Config) { c.Reduction = 0.5 }), layers * cell(24), false},
		"to input":       {smooth(adapter.Pfeiffer(), func(c *adapter.Config) { c.Residual = adapter.ToInput }), layers * cell(3), false},
		"to sum":         {smooth(adapter.Pfeiffer(), func(c *adapter.Config) { c.Residual = adapter.ToSum }), layers * cell(3), false},
		"no sum":         {smooth(adapter.Houlsby(), func(c *adapter.Config) { c.NoSum = true }), 2 * layers * cell(3), false},
		"own norms":      {smooth(adapter.Houlsby(), func(c *adapter.Config) { c.NormBefore, c.NormAfter = true, true }), 2 * layers * (cell(3) + 4*d), false},
		"normed sum":     {smooth(adapter.Houlsby(), func(c *adapter.Config) { c.NormAfter, c.NormResidual = true, true }), 2 * layers * (cell(3) + 2*d), false},
		"gated":          {smooth(adapter.Parallel(), func(c *adapter.Config) { c.Gate, c.At = true, both }), 2 * layers * (cell(3) + d + 1), true},
		"dropout":        {smooth(adapter.Pfeiffer(), func(c *adapter.Config) { c.Dropout, c.Depth = 0.2, 0.4 }), layers * cell(3), false},
		"truncated":      {smooth(adapter.Pfeiffer(), func(c *adapter.Config) { c.Init = adapter.Truncated }), layers * cell(3), false},
		"invertible":     {smooth(adapter.Parallel(), func(c *adapter.Config) { c.Invertible = 2 }), layers*cell(3) + 2*(2*6*3+3+6), false},
		"own rules":      {kronecker(adapter.PHM{Dim: 2, Rank: 2, OwnRules: true}), layers * (2*8 + 2*2*(6+2) + 2*2*(2+6) + 4 + d), false},
		"whole":          {kronecker(adapter.PHM{Whole: true}), layers*(4*3+4*3+4+d) + 64, false},
		"rank one rules": {kronecker(adapter.PHM{RankOne: true, Uniform: true, Range: 0.1, NoBias: true}), layers*(4*4+4*4) + 32, false},
		"shared":         {kronecker(adapter.PHM{SharedW: true, FixedRules: true, Weights: adapter.GlorotNormal}), layers*(4+d) + 4*4 + 4*4, false},
		"normal":         {kronecker(adapter.PHM{Weights: adapter.NormalRange, Range: 0.1}), layers*(4*4+4*4+4+d) + 64, false},
	} {
		t.Run(name, func(t *testing.T) {
			pefttest.Test(t, c.method, pefttest.Want{Trained: c.trained, Different: !c.identity, Stays: true})
		})
	}
}

// kronecker is a bottleneck a block, four columns wide.
func kronecker(c adapter.PHM) adapter.Config {
	return adapter.Config{Activation: "gelu", Reduction: 3, PHM: &c}
}

func TestZeroKroneckerProductsChangeNothing(t *testing.T) {
	for _, c := range []adapter.PHM{{}, {Whole: true}, {SharedW: true}} {
		m := kronecker(c)
		m.Init = adapter.Zero
		t.Run("", func(t *testing.T) {
			model := pefttest.NewModel(1)
			q, err := peft.Attach(tensor.Reference(), model, m, 1)
			require.NoError(t, err)
			require.NotZero(t, q.Trainable())
		})
	}
}
