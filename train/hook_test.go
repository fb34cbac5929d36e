package train_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
	"peft/train"
)

// A hooked method adds three to the loss, and counts steps in a tensor of its own.
type hooked struct {
	peft.Full
	count *tensor.Tensor
	calls *[]int
}

func (h hooked) Penalty(p *peft.Pass, _ *peft.Patch) *tensor.Tensor {
	return p.Scope().Tensor([]float64{3})
}

func (h hooked) Stepped(q *peft.Patch, grads tensor.Grads, step, total int) error {
	*h.calls = append(*h.calls, step, total, grads.Len())
	h.count.Assign([]float64{h.count.Item() + 1})
	return nil
}

func (h hooked) State(*peft.Patch) []optim.Param {
	return []optim.Param{{Name: "count", Value: h.count}}
}

func TestHooksOfAMethod(t *testing.T) {
	d, m := tensor.Reference(), newTiny(8)
	job := func() (train.Job, hooked) {
		h := hooked{count: d.Constant(nil), calls: new([]int)}
		patch, err := peft.Attach(d, m, peft.Combine(h), 1)
		require.NoError(t, err)
		return train.Job{Patch: patch, Examples: 8, Loss: m.loss}, h
	}
	c := train.Config{Steps: 2, Batch: 4, LR: 0, NoDropout: true, InOrder: true, Schedule: "constant", Checkpoint: t.TempDir() + "/x", Resume: true}
	plain, err := train.Run(t.Context(), m.job(t, d), train.Config{Steps: 2, Batch: 4, LR: 0, NoDropout: true, InOrder: true})
	require.NoError(t, err)
	j, h := job()
	r, err := train.Run(t.Context(), j, c)
	require.NoError(t, err)
	require.InDelta(t, plain.Loss+3, r.Loss, 1e-12)
	require.Equal(t, []int{1, 2, 4, 2, 2, 4}, *h.calls)

	j, h = job()
	c.Steps = 3
	_, err = train.Run(t.Context(), j, c)
	require.NoError(t, err)
	require.Equal(t, 3.0, h.count.Item(), "two of them from the checkpoint")
}
