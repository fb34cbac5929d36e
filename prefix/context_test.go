package prefix_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

// TestContextStaysNear moves embeddings far away, which are cut to where they may be.
func TestContextStaysNear(t *testing.T) {
	c := prefix.Context{IDs: []int32{3, 1, 4, 0, 1}, Types: []int{1, 2, 3, 0, 4}, Input: 2, Template: 1}
	q, err := peft.Attach(tensor.Reference(), pefttest.NewModel(1), c, 1)
	require.NoError(t, err)
	delta := q.Param("prompt/delta").Tensor()
	delta.Assign(peft.Normal(rand.New(rand.NewPCG(1, 1)), delta.Len(), 1))
	require.NoError(t, c.Stepped(q, tensor.Grads{}, 1, 1))
	unit := math.Sqrt(pefttest.Size / 2048.)
	for i, most := range []float64{1, 2, 1, 0, 0} {
		require.InDelta(t, most*unit, floats.Norm(delta.Float64s()[i*pefttest.Size:(i+1)*pefttest.Size], 2), 1e-12, "row %d", i)
	}
}

// TestContextLoss wants answers to be predicted by the rows before them, and those further back to weigh less.
func TestContextLoss(t *testing.T) {
	const words = 7
	c := prefix.Context{IDs: []int32{3, 1, 4, 2, 6, 5}, Types: []int{2, 4, 6, 8, 9, 12}, Decay: 0.5}
	layout := &tensor.Layout{Start: []int32{0, 8}, Pos: []int32{0, 1, 2, 3, 4, 5, 6, 7}, Virtual: []bool{true, true, true, true, true, true, false, false}}
	dev := tensor.Reference()
	values := peft.Normal(rand.New(rand.NewPCG(1, 2)), 8*words, 1)
	logits := dev.Constant(values, 8, words).WithLayout(layout)
	none := int32(tensor.Ignore)
	labels := []int32{none, none, none, none, none, 0, 6, none}
	p := peft.With(dev)
	defer p.Close()
	loss, err := c.Objective(p, func(*peft.Pass) (*tensor.Tensor, []int32, error) { return logits, labels, nil })
	require.NoError(t, err)

	want := 0.0
	for row, y := range map[int]struct{ label, weight float64 }{0: {1, 0.125}, 2: {2, 0.25}, 4: {5, 0.5}, 5: {0, 1}, 6: {6, 1}} {
		x := values[row*words : (row+1)*words]
		want += y.weight * (floats.LogSumExp(x) - x[int(y.label)]) / 5
	}
	require.InDelta(t, want, loss.Item(), 1e-12)
	require.Equal(t, none, labels[0], "labels are the caller's")
}
