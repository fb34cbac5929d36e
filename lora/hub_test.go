package lora_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/tensor"
)

func TestHub(t *testing.T) {
	const d, inner, layers = pefttest.Size, pefttest.Inner, pefttest.Layers
	all := []peft.Role{peft.Query, peft.Key, peft.Value}
	for name, c := range map[string]struct {
		method lora.Hub
		want   pefttest.Want
	}{
		"zero value": {lora.Hub{Rank: 2}, pefttest.Want{Trained: layers * 2 * 4 * d}},
		"everywhere": {lora.Hub{Rank: 2, Alpha: 6, Attention: all, Intermediate: true, Output: true, Dropout: 0.2}, pefttest.Want{Trained: layers * 2 * (3*2*d + 2*(d+inner))}},
		"left out":   {lora.Hub{Rank: 2, LeaveOut: []int{1}, Head: true, Name: "x"}, pefttest.Want{Trained: 2*4*d + pefttest.Classes*(d+1)}},
		"feed":       {lora.Hub{Rank: 1, Attention: []peft.Role{}, Output: true, Init: lora.HubNormal}, pefttest.Want{Trained: layers * (d + inner), Different: true}},
		"IA3":        {lora.Hub{Rescale: true, Attention: all[1:], Intermediate: true}, pefttest.Want{Trained: layers * (2*d + inner)}},
		"scaled IA3": {lora.Hub{Rescale: true, Alpha: 2, Attention: all}, pefttest.Want{Trained: layers * 3 * d, Different: true}},
		"gated":      {lora.Hub{Rank: 2, Gate: true}, pefttest.Want{Trained: layers * 2 * (4*d + d + 1), Stays: true}},
		"gated IA3":  {lora.Hub{Rescale: true, Gate: true}, pefttest.Want{Trained: layers * 2 * (d + d + 1), Different: true, Stays: true}},
		"gated DoRA": {lora.Hub{Rank: 2, Gate: true, DoRA: true}, pefttest.Want{Trained: layers * 2 * (4*d + d + d + 1), Nearly: true, Stays: true}},
		"VeRA":       {lora.Hub{Rank: 2, VeRA: &lora.HubVeRA{D: 0.1}, Init: lora.HubUniform}, pefttest.Want{Trained: layers * 2 * (2*2 + d*d)}},
		"DoRA":       {lora.Hub{Rank: 2, DoRA: true}, pefttest.Want{Trained: layers * 2 * (4*d + d), Nearly: true}},
	} {
		t.Run(name, func(t *testing.T) { pefttest.Test(t, c.method, c.want) })
	}
}

func TestHubRefusals(t *testing.T) {
	for says, c := range map[string]lora.Hub{
		"Rank is 0":              {},
		`Attention holds "down"`: {Rank: 1, Attention: []peft.Role{peft.Down}},
		"Rescale may not be":     {Rank: 1, Rescale: true, DoRA: true},
		"this one is of 12 to 2": {Rank: 2, VeRA: &lora.HubVeRA{}, Intermediate: true},
		`Init is "ones"`:         {Rank: 1, Init: "ones"},
		"Dropout is 1":           {Rescale: true, Dropout: 1},
		"has none of the linear": {Rank: 1, Attention: []peft.Role{}},
		"found nothing to train": {Rank: 1, LeaveOut: []int{0, 1}},
	} {
		_, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), c, 1)
		require.ErrorContains(t, err, says)
	}
	for fields, says := range map[string]string{
		`"attn_matrices":["o"]`:            `attn_matrices holds "o"`,
		`"vera_d":0.1`:                     "only one of vera_d and vera_b is given",
		`"composition_mode":"mul"`:         `composition_mode is "mul"`,
		`"composition_mode":"scale","r":2`: "r is 2, expected 1",
		`"init_weights":"zero"`:            `Init is "zero"`,
	} {
		_, err := peft.DecodeMethod([]byte(`{"config":{"architecture":"lora",` + fields + `},"name":"x","version":"adapters.1.3.0"}`))
		require.ErrorContains(t, err, says)
	}
}

// TestHubSaysAgain saves a folder in the words of the file that it was loaded from, but for those that mean something else today.
func TestHubSaysAgain(t *testing.T) {
	m := pefttest.NewModel(1)
	q, err := peft.Attach(tensor.Reference(), m, lora.Hub{Name: "x", Rank: 2, Attention: []peft.Role{peft.Value, peft.Query}}, 1)
	require.NoError(t, err)
	for version, alpha := range map[string]float64{"adapters.1.0.0": 2, "adapters.1.1.0": 6} {
		dir := filepath.Join(t.TempDir(), "x")
		require.NoError(t, peft.Save(dir, q, peft.Info{}))
		said := map[string]any{"architecture": "lora", "r": 2.0, "alpha": 6.0, "attn_matrices": []any{"v", "q"}, "init_weights_seed": 3.0}
		require.NoError(t, peft.WriteJSON(filepath.Join(dir, peft.ConfigFile), map[string]any{"config": said, "name": "x", "version": version}))
		read, _, err := peft.Load(q.Sites(), dir)
		require.NoError(t, err)
		require.NoError(t, peft.Save(dir+"2", read, peft.Info{}))
		text, err := peft.ReadConfig(dir + "2")
		require.NoError(t, err)
		var again struct{ Config map[string]any }
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, alpha, again.Config["alpha"])
		require.Equal(t, []any{"v", "q"}, again.Config["attn_matrices"])
		require.Equal(t, alpha == 6, again.Config["init_weights_seed"] != nil, "a file that means something else today is said anew")
	}
}

// TestHubAlpha reads files of old versions, which say a scale that they did not compute with.
func TestHubAlpha(t *testing.T) {
	for version, alpha := range map[string]float64{"adapters.0.2.1": 4, "adapters.1.0.1": 4, "adapters.1.1.0": 16, "": 16} {
		m, err := peft.DecodeMethod([]byte(`{"config":{"architecture":"lora","r":4,"alpha":16},"name":"x","version":"` + version + `"}`))
		require.NoError(t, err)
		require.Equal(t, alpha, m.(lora.Hub).Alpha, version)
	}
}

// TestHubIA3Alpha wants IA3's factor on what a map puts out, and in the file.
func TestHubIA3Alpha(t *testing.T) {
	m := pefttest.NewModel(1)
	c := lora.Hub{Rescale: true, Alpha: 3, Attention: []peft.Role{peft.Query}}
	q, err := peft.Attach(tensor.Reference(), m, c, 1)
	require.NoError(t, err)
	l := &m.Layers[0].Query
	out := func(patches ...*peft.Patch) []float64 {
		p := peft.With(tensor.Reference(), patches...).NoGrad()
		defer p.Close()
		x := p.Scope().Tensor(slices.Repeat([]float64{0.5}, l.In), 1, l.In).WithLayout(tensor.NewLayout(1))
		return l.Apply(p, x).Float64s()
	}
	base, scaled := out(), out(q)
	for i := range base {
		require.InDelta(t, 3*base[i], scaled[i], 1e-12)
	}
	config, err := c.Config(q.Sites())
	require.NoError(t, err)
	require.Equal(t, 3.0, config["alpha"])
}

// TestFiledReFT reads of folders what the library makes nothing of: blocks that the model has not, and edits of no rows.
func TestFiledReFT(t *testing.T) {
	for fields, trained := range map[string]int{`"layers":[1,7]`: 1, `"prefix_positions":0`: pefttest.Layers} {
		m, err := peft.DecodeMethod([]byte(`{"config":{"architecture":"reft","r":2,"tied_weights":true,` + fields + `},"name":"x","version":"adapters.1.3.0"}`))
		require.NoError(t, err)
		q, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), m, 1)
		require.NoError(t, err)
		require.Equal(t, trained*(2*2*pefttest.Size+2), q.Trainable())
	}
}
