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
	model.B.W = model.A.W
	_, err := peft.Attach(tensor.Reference(), model, sparsemask.SHiRA{Rank: 1, Targeted: peft.Targeted{On: peft.Named("A")}}, 1)
	require.ErrorContains(t, err, "shares its weight with B")
	_, err = peft.DecodeMethod([]byte(`{"method":"shira","mask_type":"wild"}`))
	require.ErrorContains(t, err, `mask_type is "wild"`)
}
