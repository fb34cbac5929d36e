package hybrid_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/bitfit"
	"peft/hybrid"
	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/sparsemask"
	"peft/tensor"
)

// A kind of method, and what it is expected to do on the laws' model.
type kind struct {
	name   string
	method peft.Method
	want   pefttest.Want
}

// kinds are methods of all mechanisms.
func kinds() []kind {
	at := lora.Common{On: peft.Named("*.Query", "*.Value")}
	tanh := adapter.Config{Activation: "tanh", Reduction: 4}
	moved := pefttest.Want{Different: true, Stays: true}
	return []kind{
		{"full", peft.Full{}, pefttest.Want{}},
		{"head", peft.Heads{}, pefttest.Want{}},
		{"bitfit", bitfit.Config{}, pefttest.Want{}},
		{"fish", sparsemask.Config{Keep: 0.1, Fisher: sparsemask.Magnitude}, pefttest.Want{}},
		{"lora", lora.Config{Rank: 2, On: at.On}, pefttest.Want{}},
		{"dora", lora.Config{Rank: 2, On: at.On, DoRA: true}, pefttest.Want{Nearly: true, Detached: []string{"/lora_A", "/lora_B"}}},
		{"pissa", lora.Config{Rank: 2, On: at.On, Init: lora.PiSSA}, pefttest.Want{Nearly: true}},
		{"ia3", lora.IA3{Common: at}, pefttest.Want{}},
		{"loha", lora.LoHa{Common: at, Rank: 2}, pefttest.Want{}},
		{"oft", lora.OFT{Common: at, BlockSize: 4}, pefttest.Want{}},
		{"tokens", lora.Tokens{Rows: []int{3, 9}}, pefttest.Want{}},
		{"reft", lora.ReFT{Rank: 2, First: 2, Last: 1}, moved},
		{"gated", peft.Gated(lora.Config{Rank: 2, On: peft.Named("*.Key")}), pefttest.Want{Stays: true}},
		{"adapter", tanh, moved},
		{"prefix", prefix.Config{Tokens: 2}, moved},
		{"hub prefix", prefix.Hub{Tokens: 3, Flat: true, Gate: true}, moved},
		{"prompt", prefix.Prompt{Tokens: 2}, moved},
		{"mam", hybrid.MAM{Prefix: prefix.Hub{Tokens: 2, Hidden: 3}, Adapter: adapter.Config{Activation: "tanh"}}, moved},
		{"adamix", hybrid.AdaMix{Of: adapter.Config{At: []peft.Role{peft.SelfBlock}, Activation: "tanh"}, Experts: 2}, moved},
	}
}

// apart are the pairs that cannot live in one patch, and why.
var apart = map[string]string{
	"fish and full":   "peft.Full and sparsemask.Config both train Words.weight, and not both as a whole",
	"fish and head":   "peft.Heads and sparsemask.Config both train classifier.weight, and not both as a whole",
	"fish and bitfit": "bitfit.Config and sparsemask.Config both train Layers.0.Query.bias, and not both as a whole",
	"dora and lora":   "lora.Config and lora.Config both have a parameter Layers.0.Query/lora_A, which nothing would tell apart: let them act on different sites",
	"pissa and lora":  "lora.Config and lora.Config both have a parameter Layers.0.Query/lora_A",
	"pissa and dora":  "lora.Config and lora.Config both have a parameter Layers.0.Query/lora_A",
	"mam and adapter": "adapter.Config and peft.union both have a parameter Layers.0.Fed/adapter_down.0.weight",
}

// TestPairs tries the laws on any two methods in one patch, or wants them to be refused for a reason.
func TestPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	all := kinds()
	for i, a := range all {
		for _, b := range all[:i] {
			name := a.name + " and " + b.name
			t.Run(name, func(t *testing.T) {
				both := peft.Combine(b.method, a.method)
				q, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), both, 7)
				if apart[name] != "" {
					require.ErrorContains(t, err, apart[name])
					return
				}
				require.NoError(t, err)
				pefttest.Test(t, both, pefttest.Want{
					Trained: q.Trainable(), Different: a.want.Different || b.want.Different, Nearly: a.want.Nearly || b.want.Nearly, Stays: a.want.Stays || b.want.Stays, NoFile: true,
					Detached: append(a.want.Detached, b.want.Detached...),
				})
			})
		}
	}
}

// TestOrder wants methods that compute weights of the base's to start from what others train of it, whichever is named first.
func TestOrder(t *testing.T) {
	pissa := lora.Config{Rank: 2, On: peft.Named("*.Query"), Init: lora.PiSSA}
	for name, m := range map[string]peft.Method{"full": peft.Full{}, "fish": sparsemask.Config{Keep: 0.1, Fisher: sparsemask.Magnitude}} {
		t.Run(name, func(t *testing.T) {
			q, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), m, 7)
			require.NoError(t, err)
			pefttest.Test(t, peft.Combine(pissa, m), pefttest.Want{Trained: q.Trainable() + pefttest.Layers*4*d, Nearly: true, NoFile: true})
		})
	}
}
