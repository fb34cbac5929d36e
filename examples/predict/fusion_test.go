package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/adapter"
	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// fusion is the fusion of a case's adapters, with the values of its files.
func fusion(t *testing.T, c golden.Case, m *models.Opened, d *tensor.Device, names ...string) *peft.Patch {
	sites, err := peft.FindSites(d, m.Unwrap())
	require.NoError(t, err)
	f := adapter.Fusion{Head: true}
	for _, n := range names {
		q, _, err := peft.Load(sites, c.Path("adapter", n))
		require.NoError(t, err)
		f.Of = append(f.Of, q)
	}
	q, err := peft.AttachTo(sites, f, 1)
	require.NoError(t, err)
	file := golden.Open(t, c.Path("adapter", strings.Join(names, ","), "model_adapter_fusion.safetensors"))
	for x := range q.Params() {
		if _, _, own := strings.Cut(x.Name, "/"); !own {
			x.Tensor().Assign(f.Of[0].Param(x.Name).Tensor().Float64s())
			continue
		}
		w, ok := file.Tensor(fusionKey(x, names))
		require.True(t, ok, x.Name)
		values, err := w.Float64s()
		require.NoError(t, err)
		x.Tensor().Assign(values)
	}
	return q
}

// fusionKey is the key of a fusion's parameter in the library's files.
func fusionKey(x *peft.Param, names []string) string {
	site, field, own := strings.Cut(x.Name, "/")
	if !own {
		return x.Name
	}
	kind := strings.TrimPrefix(field, "adapter_fusion_layer")
	if block, ok := strings.CutSuffix(site, ".mlp"); ok { // GPT-2
		site = block + ".output_adapters"
	}
	return site + ".adapter_fusion_layer." + strings.Join(names, ",") + kind
}

// fusions are the cases of several adapters fused, with the adapters.
var fusions = map[string][]string{"bert-fuse": {"a", "b"}, "gpt2-fuse": {"a", "b", "c"}}

// TestFusion computes what the library does with several adapters fused.
func TestFusion(t *testing.T) {
	for name, adapters := range fusions {
		c := golden.Cases(t, "adapterhub", name)[0]
		d := tensor.Reference()
		m, err := models.OpenFor(c.ModelDir(), c.Path("adapter", "a"))
		require.NoError(t, err)
		t.Cleanup(func() { m.Close() })
		q := fusion(t, c, m, d, adapters...)
		require.Equal(t, c.Trainable, q.Trainable())
		in, err := models.ReadInputs(golden.Open(t, c.Path("batch.safetensors")))
		require.NoError(t, err)
		var out outcome
		require.NoError(t, predictor{dev: d, model: m, patches: []*peft.Patch{q}}.rows(&out, in, nil, 0, in.Len(), true))
		want := golden.Open(t, c.Path("expect.safetensors"))
		golden.Close(t, golden.Masked(t, want, "logits", c.Path("batch.safetensors")), "logits", out.logits[0], 1e-9)
		for x := range q.Params() {
			g := out.grads.Of(x.Tensor())
			if g == nil || strings.HasSuffix(x.Name, "key.bias") { // of a block that is left out, or zero but for rounding
				continue
			}
			golden.Close(t, want, "grad."+fusionKey(x, adapters), g.Float64s(), 1e-9)
		}
	}
}
