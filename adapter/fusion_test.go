package adapter_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

// A fusing method trains nothing first: it fuses fresh adapters.
type fusing struct {
	of     []adapter.Config
	fusion adapter.Fusion
}

func (f fusing) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	for i, c := range f.of {
		c.Init = adapter.Truncated
		q, err := peft.AttachTo(s, c, uint64(i))
		if err != nil {
			return nil, err
		}
		for x := range q.Params() {
			x.Tensor().Assign(peft.Normal(rng, x.Len(), 0.3))
		}
		f.fusion.Of = append(f.fusion.Of, q)
	}
	return f.fusion.Attach(s, rng)
}

func TestFusionLaws(t *testing.T) {
	const layers, d = pefttest.Layers, pefttest.Size
	two := []adapter.Config{smooth(adapter.Pfeiffer(), nil), smooth(adapter.Pfeiffer(), func(c *adapter.Config) { c.Scaling, c.NormBefore = adapter.Channel, true })}
	mixed := []adapter.Config{kronecker(adapter.PHM{}), smooth(adapter.Houlsby(), nil), smooth(adapter.Plus(), nil)}
	for name, c := range map[string]struct {
		method  fusing
		trained int
	}{
		"two":      {fusing{of: two, fusion: adapter.Fusion{Dropout: 0.1, Head: true}}, layers*(3*d*d+2*d) + head},
		"three":    {fusing{of: mixed}, layers * (3*d*d + 2*d)},
		"no query": {fusing{of: two, fusion: adapter.Fusion{NoQuery: true, QueryBranch: true}}, layers * (2*d*d + d)},
		"no key":   {fusing{of: two, fusion: adapter.Fusion{NoKey: true, ResidualFirst: true, RandomValue: true}}, layers * (2*d*d + d)},
		"parallel": {fusing{of: []adapter.Config{smooth(adapter.Parallel(), nil), smooth(adapter.Parallel(), nil)}}, layers * (3*d*d + 2*d)},
		"no value": {fusing{of: two, fusion: adapter.Fusion{NoValue: true}}, layers * (2*d*d + 2*d)},
	} {
		t.Run(name, func(t *testing.T) {
			pefttest.Test(t, c.method, pefttest.Want{Trained: c.trained, Different: true, Stays: true, NoFile: true})
		})
	}
}

func TestFusionRefusals(t *testing.T) {
	model, other := pefttest.NewModel(1), pefttest.NewModel(2)
	patch := func(m *pefttest.Model, c peft.Method) *peft.Patch {
		q, err := peft.Attach(tensor.Reference(), m, c, 1)
		require.NoError(t, err)
		return q
	}
	a, far := patch(model, adapter.Config{}), patch(other, adapter.Config{})
	attention := patch(model, adapter.Config{At: []peft.Role{peft.SelfBlock}})
	for says, f := range map[string]adapter.Fusion{
		"Of holds 1 patches":          {Of: []*peft.Patch{a}},
		"patch 1 is of a peft.Heads":  {Of: []*peft.Patch{a, patch(model, peft.Heads{})}},
		"Dropout is 2":                {Of: []*peft.Patch{a, a}, Dropout: 2},
		"no sublayer of this model":   {Of: []*peft.Patch{far, far}},
		"have no sublayer of this mo": {Of: []*peft.Patch{a, attention}},
	} {
		_, err := peft.Attach(tensor.Reference(), model, f, 1)
		require.ErrorContains(t, err, says)
	}
}

// TestFusionOfEqualAdapters is one adapter, but for what Value is away from the identity.
func TestFusionOfEqualAdapters(t *testing.T) {
	model, d := newLM(6), tensor.Reference()
	q, err := peft.Attach(d, model, smooth(adapter.Houlsby(), nil), 1)
	require.NoError(t, err)
	f, err := peft.Attach(d, model, adapter.Fusion{Of: []*peft.Patch{q, q, q}, Decay: 0.01}, 1)
	require.NoError(t, err)
	run := func(patch *peft.Patch) []float64 {
		p := peft.With(d, patch).NoGrad()
		defer p.Close()
		x := p.Scope().Tensor([]float64{1, 2, 3, 4, 5, 6}, 1, 6).WithLayout(tensor.NewLayout(1))
		return model.Block[0].Fed.Apply(p, x, x, tensor.Scale(x, 0.5)).Float64s()
	}
	require.InDeltaSlice(t, run(q), run(f), 1e-5)

	p := peft.With(d, f)
	defer p.Close()
	require.InDelta(t, 0.01*30*1e-12, f.Method().(adapter.Fusion).Penalty(p, f).Item(), 1e-18)
}

// TestFusionOptions wants the closed forms of fusions of one adapter twice, which weighs nothing: with a residual on each it is the adapter itself too, if Value is the identity; without it
// what asks makes no difference.
func TestFusionOptions(t *testing.T) {
	model, d := newLM(6), tensor.Reference()
	q, err := peft.Attach(d, model, smooth(adapter.Houlsby(), nil), 1)
	require.NoError(t, err)
	run := func(patch *peft.Patch) []float64 {
		p := peft.With(d, patch).NoGrad()
		defer p.Close()
		x := p.Scope().Tensor([]float64{1, 2, 3, 4, 5, 6}, 1, 6).WithLayout(tensor.NewLayout(1))
		return model.Block[0].Fed.Apply(p, x, x, tensor.Scale(x, 0.5)).Float64s()
	}
	for _, f := range []adapter.Fusion{{NoValue: true, NoQuery: true}, {NoValue: true, NoKey: true}, {NoValue: true, ResidualFirst: true}, {NoValue: true, QueryBranch: true}} {
		f.Of = []*peft.Patch{q, q}
		fused, err := peft.Attach(d, model, f, 1)
		require.NoError(t, err)
		require.InDeltaSlice(t, run(q), run(fused), 1e-12)
	}
}

// TestFusionFile reads and writes what a file says, also of what makes no difference here, and refuses what no two passes compute alike.
func TestFusionFile(t *testing.T) {
	want := map[string]any{
		"key": true, "query": false, "value": true, "query_before_ln": true, "regularization": false, "residual_before": true, "temperature": false, "value_before_softmax": false,
		"value_initialized": false, "dropout_prob": 0.1,
	}
	decode := func() (peft.Method, error) {
		text, err := json.Marshal(map[string]any{"config": want, "architecture": "fusion"})
		require.NoError(t, err)
		return adapter.DecodeFusion(text)
	}
	m, err := decode()
	require.NoError(t, err)
	require.Equal(t, want, m.(adapter.Fusion).FusionConfig())
	want["temperature"] = true
	_, err = decode()
	require.ErrorContains(t, err, "temperature is true, must be false")
}
