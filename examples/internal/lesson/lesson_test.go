package lesson

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/bundle"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

func TestSplit(t *testing.T) {
	in := &models.Inputs{IDs: [][]int32{{1}, {2}, {3}, {4}, {5}}, Labels: [][]int32{{0}, {1}, {0}, {1}, {0}}}
	most, some, err := Split(in, 2)
	require.NoError(t, err)
	require.Equal(t, [][]int32{{1}, {3}, {5}}, most.IDs)
	require.Equal(t, [][]int32{{2}, {4}}, some.IDs)
	require.Equal(t, [][]int32{{1}, {1}}, some.Labels)
	require.Nil(t, some.Types)
	_, _, err = Split(in, 6)
	require.ErrorContains(t, err, "found 5 examples, expected at least 6")
	require.Equal(t, 2, First(in, 2).Len())
	require.Same(t, in, First(in, 0))
}

// TestFrozen judges a head by what the frozen base has seen as by the whole model.
func TestFrozen(t *testing.T) {
	ctx, d := context.Background(), tensor.CPU(1)
	b, err := bundle.Open()
	require.NoError(t, err)
	words, err := b.Words()
	require.NoError(t, err)
	m, err := b.Model(len(words.Classes))
	require.NoError(t, err)
	whole := &Lesson{Model: m.Unwrap(), Train: First(words.Train, 10), Test: First(words.Test, 100)}
	frozen, err := whole.Frozen(ctx, d)
	require.NoError(t, err)
	q, err := peft.Attach(d, m.Unwrap(), peft.Heads{}, 1)
	require.NoError(t, err)
	want, err := whole.Job(q).Eval(ctx)
	require.NoError(t, err)
	got, err := frozen.Job(q).Eval(ctx)
	require.NoError(t, err)
	require.InDelta(t, want.Loss, got.Loss, 1e-6)
	require.InDelta(t, want.Accuracy, got.Accuracy, 1e-9)
}
