package optim_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor"
	"peft/tensor/optim"
)

func TestNoGradientMeansUntouched(t *testing.T) {
	d := tensor.Reference()
	ps := []optim.Param{param(d, "a", 1, 2), param(d, "b", 3)}
	o, err := optim.New(optim.Group{Rule: optim.AdamW{LR: 0.1, Decay: 0.5}, Params: ps})
	require.NoError(t, err)
	for range 3 {
		_, err = o.Step(gradients(d, ps, [][]float64{{1, -1}, nil}), 1)
		require.NoError(t, err)
	}
	require.Equal(t, []float64{3}, ps[1].Value.Float64s())
	require.Equal(t, map[string]int{"a": 3}, o.Steps())

	_, err = o.Step(gradients(d, ps, [][]float64{nil, {2}}), 1)
	require.NoError(t, err)
	require.InDelta(t, 3*(1-0.05)-0.1, ps[1].Value.Item(), 1e-8, "its first step, whatever others have done")
}

func TestGroupsHaveTheirOwnRule(t *testing.T) {
	d := tensor.Reference()
	ps := []optim.Param{param(d, "a", 1), param(d, "b", 1)}
	o, err := optim.New(
		optim.Group{Rule: optim.SGD{LR: 0.1}, Params: ps[:1]},
		optim.Group{Rule: optim.SGD{LR: 0.5}, Params: ps[1:]},
	)
	require.NoError(t, err)
	_, err = o.Step(gradients(d, ps, [][]float64{{1}, {1}}), 0.5)
	require.NoError(t, err)
	require.InDelta(t, 0.95, ps[0].Value.Item(), 1e-15)
	require.InDelta(t, 0.75, ps[1].Value.Item(), 1e-15)
}

func TestClippingByGlobalNorm(t *testing.T) {
	d := tensor.Reference()
	ps := []optim.Param{param(d, "a", 0, 0), param(d, "b", 0)}
	o, err := optim.New(optim.Group{Rule: optim.SGD{LR: 1}, Params: ps})
	require.NoError(t, err)
	o.MaxNorm = 2
	norm, err := o.Step(gradients(d, ps, [][]float64{{2, 3}, {6}}), 1)
	require.NoError(t, err)
	require.InDelta(t, 7, norm, 1e-15)
	scale := 2 / (7 + 1e-6)
	require.InDeltaSlice(t, []float64{-2 * scale, -3 * scale}, ps[0].Value.Float64s(), 1e-15)
	require.InDelta(t, -6*scale, ps[1].Value.Item(), 1e-15)
	require.Equal(t, 1.0, optim.Clip(1.9, 2))
	require.Equal(t, 1.0, optim.Clip(1e9, 0))
}

func TestGradientsThatAreNotFiniteChangeNothing(t *testing.T) {
	d := tensor.Reference()
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		ps := []optim.Param{param(d, "a", 1), param(d, "b", 1)}
		o, err := optim.New(optim.Group{Rule: optim.AdamW{LR: 1, Decay: 0.1}, Params: ps})
		require.NoError(t, err)
		_, err = o.Step(gradients(d, ps, [][]float64{{1}, {bad}}), 1)
		require.ErrorIs(t, err, optim.ErrNotFinite)
		require.Equal(t, 1.0, ps[0].Value.Item())
		require.Empty(t, o.Steps())
	}
}

func TestNewRefusesWhatOccursTwice(t *testing.T) {
	d := tensor.Reference()
	a := param(d, "a", 1)
	_, err := optim.New(optim.Group{Rule: optim.SGD{}, Params: []optim.Param{a, {Name: "b", Value: a.Value}}})
	require.ErrorContains(t, err, `"a" and "b" are the same tensor`)
	_, err = optim.New(optim.Group{Rule: optim.SGD{}, Params: []optim.Param{a, param(d, "a", 2)}})
	require.ErrorContains(t, err, `two parameters are called "a"`)
}

func TestResumeGoesOnBitForBit(t *testing.T) {
	d := tensor.Reference()
	rng := rand.New(rand.NewPCG(3, 4))
	start, rows := normals(rng, 4), [][]float64{normals(rng, 4), normals(rng, 4), normals(rng, 4)}
	for _, rule := range []optim.Rule{optim.AdamW{LR: 0.1, Decay: 0.1}, optim.SGD{LR: 0.1, Momentum: 0.9}} {
		want := stepped(t, rule, start, rows)
		first := param(d, "x", start...)
		o := single(t, rule, first)
		advance(t, d, o, first, rows[:2])

		second := param(d, "x", first.Value.Float64s()...)
		resumed := single(t, rule, second)
		require.NoError(t, resumed.Resume(o.Steps()))
		state := map[string][]float64{}
		for name, m := range o.Moments() {
			state[name] = m.Float64s()
		}
		for name, m := range resumed.Moments() {
			m.Assign(state[name])
		}
		advance(t, d, resumed, second, rows[2:])
		require.Equal(t, want, second.Value.Float64s())
	}
}

func TestResumeRefusesWhatItDoesNotKnow(t *testing.T) {
	o := single(t, optim.AdamW{}, param(tensor.Reference(), "x", 1))
	require.ErrorContains(t, o.Resume(map[string]int{"y": 1}), `no parameter is called "y"`)
	require.ErrorContains(t, o.Resume(map[string]int{"x": -1}), `step count of -1`)
}

func TestStateIsTwiceTheParameters(t *testing.T) {
	d := tensor.Reference()
	x := param(d, "x", 1, 2, 3)
	o := single(t, optim.AdamW{}, x)
	require.Zero(t, held(o), "no step, no state")
	advance(t, d, o, x, [][]float64{{1, 1, 1}})
	require.Equal(t, 6, held(o))
}

func held(o *optim.Optimizer) (numbers int) {
	for _, m := range o.Moments() {
		numbers += m.Len()
	}
	return numbers
}

func single(t *testing.T, rule optim.Rule, x optim.Param) *optim.Optimizer {
	o, err := optim.New(optim.Group{Rule: rule, Params: []optim.Param{x}})
	require.NoError(t, err)
	return o
}

func advance(t *testing.T, d *tensor.Device, o *optim.Optimizer, x optim.Param, rows [][]float64) {
	for _, g := range rows {
		_, err := o.Step(gradients(d, []optim.Param{x}, [][]float64{g}), 1)
		require.NoError(t, err)
	}
}

func TestMisusedUpdatesPanic(t *testing.T) {
	d := tensor.Reference()
	x := d.Param([]float64{1, 2, 3, 4}, 2, 2)
	err := tensor.Try(func() error { x.Blend(1, 1, d.Constant(nil, 4)); return nil })
	require.ErrorContains(t, err, "Blend")
	window := tensor.Columns(x, 0, 1)
	err = tensor.Try(func() error { window.Blend(1, 1, d.Constant(nil, 2, 1)); return nil })
	require.ErrorContains(t, err, "whole tensors")
}
