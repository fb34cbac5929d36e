package train_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor"
	"peft/train"
)

// scored is a job whose evaluations have the given losses, and that remembers the parameters they saw.
func scored(t *testing.T, losses ...float64) (j train.Job, seen *[]map[string][]float64) {
	j, seen = newTiny(8).job(t, tensor.Reference()), &[]map[string][]float64{}
	j.Eval = func(context.Context) (train.Score, error) {
		*seen = append(*seen, values(j.Patch))
		return train.Score{Loss: losses[len(*seen)-1]}, nil
	}
	return j, seen
}

func TestPatience(t *testing.T) {
	for want, losses := range map[int][]float64{
		3: {1, 2, 1.5, 9},
		5: {3, 2, 1, 1, 1.5, 0},
		4: {math.NaN(), 1, math.NaN(), 2, 0},
		6: {6, 5, 4, 3, 2, 1},
		2: {math.NaN(), math.NaN(), math.NaN()},
	} {
		j, seen := scored(t, losses...)
		patience := 2
		if want == 2 {
			patience = 1
		}
		r, err := train.Run(t.Context(), j, train.Config{Steps: 6, LR: 0.1, EvalEvery: 1, Patience: patience})
		require.NoError(t, err)
		require.Equal(t, want, r.Steps)
		require.Len(t, *seen, want)
	}
}

func TestKeepBestEndsWithTheBest(t *testing.T) {
	j, seen := scored(t, 3, 1, math.NaN(), 2)
	r, err := train.Run(t.Context(), j, train.Config{Steps: 4, LR: 0.1, EvalEvery: 1, KeepBest: true})
	require.NoError(t, err)
	require.Equal(t, 4, r.Steps)
	require.Equal(t, (*seen)[1], values(j.Patch))
	require.NotEqual(t, (*seen)[3], values(j.Patch))
}

func TestEvaluationIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	j := newTiny(8).job(t, tensor.Reference())
	j.Eval = func(ctx context.Context) (train.Score, error) {
		cancel()
		return train.Evaluate(ctx, 8, 4, nil)
	}
	r, err := train.Run(ctx, j, train.Config{Steps: 4, LR: 0.1, EvalEvery: 2})
	require.EqualError(t, err, "train: evaluation after step 2: context canceled")
	require.True(t, r.Interrupted)
	require.Equal(t, 2, r.Steps)
}

func TestEvaluateWeighsTargets(t *testing.T) {
	var batches [][]int
	s, err := train.Evaluate(t.Context(), 5, 2, func(rows []int) (train.Score, int, error) {
		batches = append(batches, append([]int(nil), rows...))
		if rows[0] == 2 {
			return train.Score{Loss: math.NaN(), Accuracy: math.NaN()}, 0, nil
		}
		return train.Score{Loss: float64(rows[0]), Accuracy: 1 / float64(len(rows))}, len(rows), nil
	})
	require.NoError(t, err)
	require.Equal(t, [][]int{{0, 1}, {2, 3}, {4}}, batches)
	require.InDelta(t, 4.0/3, s.Loss, 1e-15)
	require.InDelta(t, 2.0/3, s.Accuracy, 1e-15)

	_, err = train.Evaluate(t.Context(), 5, 2, func([]int) (train.Score, int, error) { return train.Score{}, 0, errors.New("no picture") })
	require.EqualError(t, err, "no picture")
}
