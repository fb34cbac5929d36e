package lora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// TestSmallVBLoRA wants the small form of files to hold the vectors that are mixed and their shares but one, and to compute what the logits do, once read and once read and saved again.
func TestSmallVBLoRA(t *testing.T) {
	model := &struct{ Map peft.Linear }{peft.LinearOf([]float32{1, 2, 3, 4, 5, 6, 7, 8}, nil, 4)}
	d := tensor.Reference()
	out := func(patches ...*peft.Patch) []float64 {
		p := peft.With(d, patches...)
		defer p.Close()
		return model.Map.Apply(p, p.Scope().Tensor([]float64{1, 2, 3, 4}, 1, 4)).Float64s()
	}
	q, err := peft.Attach(d, model, lora.VBLoRA{Rank: 2, Vectors: 5, Length: 2, TopK: 3, Std: 2, Bound: 1, Small: true, Common: lora.Common{On: peft.Suffixes("Map")}}, 1)
	require.NoError(t, err)
	for range 2 {
		want, dir := out(q), t.TempDir()+"/patch"
		require.NotEqual(t, out(), want)
		require.NoError(t, peft.Save(dir, q, peft.Info{}))
		file := golden.Open(t, dir+"/"+peft.WeightsFile)
		shares, _ := file.Tensor("base_model.model.Map.vblora_logits_A_topk_weights")
		require.Equal(t, []int{2, 2, 2}, shares.Shape)
		indices, _ := file.Tensor("base_model.model.Map.vblora_logits_A_topk_indices")
		require.Equal(t, []int{2, 2, 3}, indices.Shape)
		require.Len(t, file.Names(), 5)
		loaded, report, err := peft.Load(q.Sites(), dir)
		require.NoError(t, err)
		require.Empty(t, append(report.Missing, report.Unexpected...))
		require.InDeltaSlice(t, want, out(loaded), 1e-5)
		require.Equal(t, 5*2, loaded.Trainable())
		q = loaded
	}
	_, _, err = refiled(t, q, peft.Info{}, map[string]any{"num_vectors": 3})
	require.ErrorContains(t, err, "must be the number of one of 3 vectors")
	_, _, err = refiled(t, q, peft.Info{}, map[string]any{"topk": 2})
	require.ErrorContains(t, err, "mixes 12 vectors in Map/vblora_logits_A, expected 8")
}
