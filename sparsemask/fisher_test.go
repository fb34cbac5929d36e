package sparsemask_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/sparsemask"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// shared is a model that uses one matrix in every way: as a table, as a linear map, as a whole.
type shared struct {
	Words peft.Embedding
	Up    peft.Linear
	Norm  peft.Norm
	Out   peft.Linear
}

func newShared() *shared {
	w := []float32{1, -2, 0.5, 3, 2, 1, -1, 0.3}
	m := &shared{Words: peft.NewEmbedding(4, 2), Up: peft.LinearOf(w[:4], []float32{0.1, 0.2}, 2), Norm: peft.NewNorm(2, 1e-5, true), Out: peft.LinearOf(w, nil, 2)}
	m.Norm.W.W = tensor.WeightOf([]float32{1, 2}, 1, 2)
	m.Words.W = m.Out.W
	return m
}

func (m *shared) Loss(p *peft.Pass, words ...int32) *tensor.Tensor {
	x := m.Up.Activated(p, m.Words.Apply(p, words, tensor.NewLayout(len(words))), tensor.Tanh)
	y := tensor.Add(m.Out.Apply(p, m.Norm.Apply(p, x)), tensor.MatMulT(x, p.Matrix(m.Out.W).Dense(p.Scope())))
	return tensor.CrossEntropy(y, words)
}

// TestEstimate wants the sums of squares of the gradients that full fine-tuning has, one example at a time.
func TestEstimate(t *testing.T) {
	for _, d := range []*tensor.Device{tensor.Reference(), tensor.CPU(2)} {
		model, examples := newShared(), [][]int32{{0, 3, 0}, {1}, {2, 3}}
		s, err := peft.FindSites(d, model)
		require.NoError(t, err)
		got, err := sparsemask.Estimate(context.Background(), s, sparsemask.Label, sparsemask.Data{
			Len:  len(examples),
			Loss: func(p *peft.Pass, i int) (*tensor.Tensor, error) { return model.Loss(p, examples[i]...), nil },
		})
		require.NoError(t, err)
		want, full := sparsemask.Scores{}, mustAttach(t, s, peft.Full{})
		for _, words := range examples {
			p := peft.With(d, full)
			g := tensor.Backward(model.Loss(p, words...))
			for x := range full.Params() {
				for i, dx := range g.Of(x.Tensor()).Float64s() {
					if want[x.Name] == nil {
						want[x.Name] = make([]float64, x.Len())
					}
					want[x.Name][i] += dx * dx
				}
			}
			p.Close()
		}
		require.Len(t, got, len(want))
		for name, w := range want {
			require.InDeltaSlice(t, w, got[name], 1e-5, name)
		}
	}
}

func mustAttach(t *testing.T, s *peft.Sites, m peft.Method) *peft.Patch {
	q, err := peft.AttachTo(s, m, 1)
	require.NoError(t, err)
	return q
}

// TestExpectWantsAClassifier refuses an expectation over the classes of many rows.
func TestExpectWantsAClassifier(t *testing.T) {
	s, err := peft.FindSites(tensor.Reference(), newPair())
	require.NoError(t, err)
	_, err = sparsemask.Estimate(context.Background(), s, sparsemask.Expect, sparsemask.Data{
		Len:    1,
		Logits: func(p *peft.Pass, _ int) (*tensor.Tensor, error) { return p.Scope().Tensor(nil, 2, 3), nil },
	})
	require.ErrorContains(t, err, "2 rows of logits")
}

// FuzzRestore reads places from whatever a file holds: it gives a patch or an error.
func FuzzRestore(f *testing.F) {
	for _, tensors := range [][]safetensors.Tensor{
		{safetensors.I64("A.weight.indices", []int{2}, []int64{1, 3}), safetensors.F32("A.weight.values", []int{2}, []float32{1, 2})},
		{safetensors.I32("base_model.model.A.shira_indices", []int{2, 4}, []int32{0, 0, 1, 1, 0, 1, 0, 1})},
		{safetensors.I32("base_model.model.A.shira_indices", []int{2, 1}, []int32{7, -1})},
	} {
		var b bytes.Buffer
		require.NoError(f, safetensors.Encode(&b, tensors, nil))
		f.Add(b.Bytes())
	}
	s, err := peft.FindSites(tensor.Reference(), newPair())
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := safetensors.Parse(data)
		if err != nil {
			return
		}
		for _, m := range []peft.Restorer{sparsemask.Config{}, sparsemask.SHiRA{Rank: 1, Targeted: peft.Targeted{On: peft.Named("A")}}} {
			if restored, err := m.Restore(w); err == nil {
				_, _ = peft.AttachTo(s, restored, 1)
			}
		}
	})
}
