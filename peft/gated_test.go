package peft_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/bitfit"
	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

// maps are the linear maps that LoRA adapts in these tests.
var maps = peft.Named("*.Query", "*.Value")

func TestGated(t *testing.T) {
	const d, layers, gate = pefttest.Size, pefttest.Layers, pefttest.Size + 1
	for name, c := range map[string]struct {
		method peft.Method
		want   pefttest.Want
	}{
		"lora":    {lora.Config{Rank: 2, On: maps}, pefttest.Want{Trained: layers * 2 * (4*d + gate)}},
		"adapter": {adapter.Config{Activation: "tanh"}, pefttest.Want{Trained: layers * (2*d + 1 + d + gate), Different: true}},
		"prefix":  {prefix.Hub{Tokens: 3, Flat: true}, pefttest.Want{Trained: layers * (2*3*d + gate), Different: true}},
		"twice":   {peft.Gated(lora.Config{Rank: 2, On: maps, Head: true}), pefttest.Want{Trained: layers*2*(4*d+2*gate) + pefttest.Classes*gate}},
	} {
		c.want.Stays, c.want.NoFile = true, true
		t.Run(name, func(t *testing.T) { pefttest.Test(t, peft.Gated(c.method), c.want) })
	}
}

func TestGatedRefusals(t *testing.T) {
	for says, m := range map[string]peft.Method{
		"nothing that a gate could scale":          bitfit.Config{},
		"lora.residual stands in for":              lora.Config{Rank: 2, On: maps, Init: lora.PiSSA},
		"Words: a gate cannot read what this *pef": lora.Config{Rank: 2, On: peft.Named("Words")},
		"Input: a gate cannot read what this *pef": prefix.Prompt{Tokens: 2},
	} {
		_, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), peft.Gated(m), 1)
		require.ErrorContains(t, err, says)
	}
}
