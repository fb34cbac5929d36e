package hybrid_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/hybrid"
	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

const d, layers, head = pefttest.Size, pefttest.Layers, pefttest.Classes * (pefttest.Size + 1)

// adaMix is the published number of parameters of experts between a stream of d columns and r.
func adaMix(down, up, r int) int { return layers * (down*(r*d+r) + up*(r*d+d)) }

func TestAdaMix(t *testing.T) {
	of, low := hybrid.Sequential(), lora.Config{Rank: 2, On: peft.Named("*.Query", "*.Value")}
	of.Reduction, of.Head = 4, true
	for name, c := range map[string]struct {
		method hybrid.AdaMix
		want   pefttest.Want
	}{
		"zero value":  {hybrid.AdaMix{}, pefttest.Want{Trained: adaMix(4, 1, 1), Different: true, Stays: true}},
		"shared up":   {hybrid.AdaMix{Of: of}, pefttest.Want{Trained: head + adaMix(4, 1, 3), Different: true, Stays: true}},
		"shared down": {hybrid.AdaMix{Of: of, Experts: 3, Share: hybrid.Down}, pefttest.Want{Trained: head + adaMix(1, 3, 3), Different: true, Stays: true}},
		"not shared":  {hybrid.AdaMix{Of: of, Experts: 2, Share: hybrid.Nothing}, pefttest.Want{Trained: head + adaMix(2, 2, 3), Different: true, Stays: true}},
		"one expert":  {hybrid.AdaMix{Of: of, Experts: 1}, pefttest.Want{Trained: head + adaMix(1, 1, 3), Different: true, Stays: true}},
		"LoRA":        {hybrid.AdaMix{Of: low, Experts: 8}, pefttest.Want{Trained: layers * 2 * (8 + 1) * 2 * d}},
		"LoRA, own A": {hybrid.AdaMix{Of: low, Share: hybrid.Down}, pefttest.Want{Trained: layers * 2 * (1 + 4) * 2 * d}},
		"Kronecker":   {hybrid.AdaMix{Of: adapter.Config{Reduction: 3, Activation: "gelu", PHM: &adapter.PHM{}}, Experts: 2}, pefttest.Want{Trained: layers*(2*(4*3+4*1+4)+4*4+12) + 2*64, Different: true, Stays: true}},
		"prefix":      {hybrid.AdaMix{Of: prefix.Hub{Tokens: 2, Flat: true}, Share: hybrid.Nothing}, pefttest.Want{Trained: 4 * 2 * 2 * layers * d, Different: true, Stays: true}},
	} {
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, c.want) })
	}
}

func TestAdaMixConfigurations(t *testing.T) {
	for text, want := range map[string]hybrid.AdaMix{
		`{"method":"adamix"}`: {Of: hybrid.Sequential(), Experts: 4, Consistency: 1},
		`{"method":"adamix","experts":2,"share":"down","head":true}`: {Of: adapter.Config{Input: adapter.Branch, Activation: "gelu", Head: true}, Experts: 2, Share: hybrid.Down, Consistency: 1},
		`{"method":"adamix","share":"none","consistency":0,"of":{"method":"lora","r":4}}`: {
			Of: lora.Config{Rank: 4, Alpha: 8}, Experts: 4, Share: hybrid.Nothing, NoConsistency: true,
		},
	} {
		m, err := peft.DecodeMethod([]byte(text))
		require.NoError(t, err)
		got := m.(hybrid.AdaMix)
		if l, ok := got.Of.(lora.Config); ok {
			require.Equal(t, 4, l.Rank)
			got.Of = want.Of
		}
		require.Equal(t, want, got, text)
	}
	for text, says := range map[string]string{
		`{"method":"adamix","experts":0}`:               "experts is 0, expected 1 or more",
		`{"method":"adamix","share":"left"}`:            `share is "left"`,
		`{"method":"adamix","consistency":-1}`:          "consistency is -1",
		`{"method":"adamix","of":3}`:                    "of: expected a method's configuration",
		`{"method":"adamix","of":{"method":"magic"}}`:   `of: peft: configuration: no method "magic"`,
		`{"method":"adamix","of":{"r":3}}`:              "of: ",
		`{"method":"adamix","weight":3}`:                `unknown field "weight"`,
		`{"method":"adamix","of":{"method":"adalora"}}`: "", // refused when it is attached
		`{"method":"adamix","of":{"method":"adamix"}}`:  "of: found adamix again",
	} {
		_, err := peft.DecodeMethod([]byte(text))
		if says != "" {
			require.ErrorContains(t, err, says)
		}
	}
}

func TestAdaMixRefusals(t *testing.T) {
	for says, c := range map[string]hybrid.AdaMix{
		"Experts is 300, must be at most":    {Experts: 300},
		"Experts is -1":                      {Experts: -1},
		`Share is "", but prefix.Hub has no`: {Of: prefix.Hub{Tokens: 2}},
		"lora.AdaLoRA moves its parameters":  {Of: lora.AdaLoRA{InitRank: 3, TargetRank: 1}},
	} {
		_, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), c, 1)
		require.ErrorContains(t, err, says)
	}
}
