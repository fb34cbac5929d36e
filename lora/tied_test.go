package lora_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// echo is a model whose output shares the table of its input.
type echo struct {
	Word peft.Embedding
	Out  peft.Linear
}

func newEcho() *echo {
	m := &echo{Word: peft.NewEmbedding(4, 3), Out: peft.NewLinear(3, 4, false, "")}
	m.Word.W.W = tensor.WeightOf([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 4, 3)
	m.Out.W, m.Out.IsHead = m.Word.W, true
	return m
}

func (m *echo) logits(d *tensor.Device, patches ...*peft.Patch) []float64 {
	p := peft.With(d, patches...)
	defer p.Close()
	return m.Out.Apply(p, m.Word.Apply(p, []int32{2, 0}, tensor.Singles(2))).Float64s()
}

// TestTie wants an update of a shared table to reach both its places, saved, loaded and merged too.
func TestTie(t *testing.T) {
	m, d := newEcho(), tensor.Reference()
	c := lora.Config{Rank: 2, Alpha: 6, On: peft.Suffixes("Word", "Out"), Tie: true}
	q, err := peft.Attach(d, m, c, 1)
	require.NoError(t, err)
	base := m.logits(d)
	require.Equal(t, base, m.logits(d, q))
	require.Equal(t, 2*(4+3), q.Trainable())
	q.Param("Word/lora_embedding_A").Tensor().Assign([]float64{1, 0, 2, 1, 0, 1, 1, 3})
	moved := m.logits(d, q)
	require.NotEqual(t, base, moved)

	dir := t.TempDir() + "/patch"
	require.NoError(t, peft.Save(dir, q, peft.Info{}))
	file := golden.Open(t, dir+"/"+peft.WeightsFile)
	b, ok := file.Tensor("base_model.model.Out.lora_B.weight")
	require.True(t, ok)
	require.Equal(t, []int{4, 2}, b.Shape)
	loaded, report, err := peft.Load(q.Sites(), dir)
	require.NoError(t, err)
	require.Empty(t, report.Unexpected)
	require.InDeltaSlice(t, moved, m.logits(d, loaded), 1e-4)

	merged, err := peft.Merge(d, m, q)
	require.NoError(t, err)
	require.InDeltaSlice(t, moved, m.logits(d, merged), 1e-9)

	c.On = peft.Suffixes("Out")
	_, err = peft.Attach(d, m, c, 1)
	require.ErrorContains(t, err, "Out is tied to Word")
}
