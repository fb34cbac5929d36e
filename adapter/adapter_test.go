package adapter_test

import (
	"math"
	"math/rand/v2"
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
		"zero products":  {zero(adapter.PHM{}), layers*(4*4+4*4+4+d) + 64, true},
		"zero whole":     {zero(adapter.PHM{Whole: true}), layers*(4*3+4*3+4+d) + 64, true},
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

// zero is kronecker with a start that changes nothing.
func zero(p adapter.PHM) adapter.Config {
	c := kronecker(p)
	c.Init = adapter.Zero
	return c
}

func TestRefusals(t *testing.T) {
	model := pefttest.NewModel(1)
	for says, c := range map[string]adapter.Config{
		`At holds "query"`:                      {At: []peft.Role{peft.Query}},
		"no sublayer with a role of":            {At: []peft.Role{peft.CrossPart}},
		"found nothing to train":                {LeaveOut: []int{0, 1}},
		`Activation is "step"`:                  {Activation: "step"},
		`Input is "sum"`:                        {Input: "sum"},
		`Residual is "branch"`:                  {Residual: "branch"},
		`Scaling is "fixed"`:                    {Scaling: "fixed"},
		`Init is "ones"`:                        {Init: "ones"},
		"Dropout is 1":                          {Dropout: 1},
		"Depth is -0.5":                         {Depth: -0.5},
		"Invertible is 0.01":                    {Invertible: 0.01},
		"reduction factor is 0.001":             {Reduction: 0.001},
		"Reductions lacks block 1":              {Reduction: -1, Reductions: map[int]float64{0: 2}},
		"from 12 to 3 columns":                  {Reduction: 4, PHM: &adapter.PHM{}},
		"PHM has Dim 1000":                      {PHM: &adapter.PHM{Dim: 1000}},
		`PHM.Weights is "phm"`:                  {PHM: &adapter.PHM{Weights: "phm"}},
		"Layers.0.Fed: the reduction factor is": {Reduction: math.NaN()},
	} {
		_, err := peft.Attach(tensor.Reference(), model, c, 1)
		require.ErrorContains(t, err, says)
	}
}

// A lm is embeddings and the map from hidden states to tokens, without blocks between them.
type lm struct {
	Embedded peft.Hidden
	Block    []*block
	Output   peft.Linear
}

type block struct{ Fed peft.Sublayer }

func newLM(size int) *lm {
	m := &lm{Embedded: peft.Hidden{Size: size}, Block: []*block{{peft.Sublayer{Role: peft.FFN, Size: size}}}}
	identity := make([]float32, size*size)
	for i := range size {
		identity[i*size+i] = 1
	}
	m.Output = peft.LinearOf(identity, nil, size)
	m.Output.IsHead = true
	return m
}

func TestInverse(t *testing.T) {
	for _, size := range []int{8, 7} {
		m, d := newLM(size), tensor.Reference()
		q, err := peft.Attach(d, m, adapter.Config{Invertible: 2, Inverse: true, Activation: "tanh"}, 3)
		require.NoError(t, err)
		values := peft.Normal(rand.New(rand.NewPCG(1, 1)), 5*size, 1)
		for x := range q.Params() {
			x.Tensor().Assign(peft.Normal(rand.New(rand.NewPCG(2, 2)), x.Len(), 1))
		}
		p := peft.With(d, q).NoGrad()
		defer p.Close()
		x := p.Scope().Tensor(values, 5, size).WithLayout(tensor.NewLayout(5))
		y := m.Embedded.Apply(p, x)
		require.Greater(t, math.Abs(y.Float64s()[0]-values[0]), 0.01)
		require.InDeltaSlice(t, values, m.Output.Apply(p, y).Float64s(), 1e-12)
	}
}
