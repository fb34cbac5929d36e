package sparsemask_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/peft/pefttest"
	"peft/sparsemask"
	"peft/tensor"
)

func TestSHiRALaws(t *testing.T) {
	const each = pefttest.Layers * 2 * size
	at := func(names ...string) peft.Targeted { return peft.Targeted{On: peft.Named(names...)} }
	for name, c := range map[string]struct {
		method sparsemask.SHiRA
		want   pefttest.Want
	}{
		"plain":  {sparsemask.SHiRA{Rank: 2, Targeted: at("*.Query", "*.Value")}, pefttest.Want{Trained: 2 * 2 * each}},
		"wide":   {sparsemask.SHiRA{Rank: 3, Targeted: at("*.Down")}, pefttest.Want{Trained: 3 * pefttest.Layers * (size + inner)}},
		"seed":   {sparsemask.SHiRA{Rank: 1, Seed: new(uint64(3)), Targeted: at("*.Key")}, pefttest.Want{Trained: each}},
		"random": {sparsemask.SHiRA{Rank: 1, Random: true, Targeted: at("*.Key")}, pefttest.Want{Trained: each, Different: true}},
		"head":   {sparsemask.SHiRA{Rank: 1, Targeted: peft.Targeted{On: peft.Named("*.Key"), Head: true}}, pefttest.Want{Trained: each + head}},
	} {
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, c.want) })
	}
}

func TestSHiRARefusals(t *testing.T) {
	model := newPair()
	for says, c := range map[string]sparsemask.SHiRA{
		"Rank is 0":               {},
		"asks for 8 entries of 4": {Rank: 2, Targeted: peft.Targeted{On: peft.Named("A")}},
	} {
		_, err := peft.Attach(tensor.Reference(), model, c, 1)
		require.ErrorContains(t, err, says)
	}
	_, err := peft.DecodeMethod([]byte(`{"method":"shira","mask_type":"wild"}`))
	require.ErrorContains(t, err, `mask_type is "wild"`)
}

// TestSHiRATied wants a map that shares its weight to be changed alone.
func TestSHiRATied(t *testing.T) {
	model, d := newPair(), tensor.Reference()
	model.B.W = model.A.W
	q, err := peft.Attach(d, model, sparsemask.SHiRA{Rank: 1, Random: true, Targeted: peft.Targeted{On: peft.Named("B")}}, 1)
	require.NoError(t, err)
	out := func(l *peft.Linear, patches ...*peft.Patch) []float64 {
		p := peft.With(d, patches...)
		defer p.Close()
		return l.Apply(p, p.Scope().Tensor([]float64{1, 2}, 1, 2)).Float64s()
	}
	require.Equal(t, out(&model.A), out(&model.A, q))
	require.NotEqual(t, out(&model.B), out(&model.B, q))
	_, err = peft.Merge(d, model, q)
	require.ErrorContains(t, err, "while the base ties it to others")
}
