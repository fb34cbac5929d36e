package train_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// A tiny model has two layers and three classes; its examples are labelled by another one.
type tiny struct {
	Hidden  peft.Linear `name:"hidden"`
	Classes peft.Linear `name:"classes"`

	x      [][]float64
	labels []int32
}

const features, classesOfTiny = 4, 3

func newTiny(examples int) *tiny {
	rng := rand.New(rand.NewPCG(1, 2))
	m := &tiny{Hidden: linear(rng, features, 6), Classes: linear(rng, 6, classesOfTiny)}
	for range examples {
		x := peft.Normal(rng, features, 1)
		label := 0
		for i := range classesOfTiny {
			if x[i] > x[label] {
				label = i
			}
		}
		m.x, m.labels = append(m.x, x), append(m.labels, int32(label))
	}
	return m
}

func linear(rng peft.Rand, in, out int) peft.Linear {
	return peft.LinearOf(floats(peft.Normal(rng, in*out, 0.5)), floats(peft.Normal(rng, out, 0.1)), in)
}

func floats(v []float64) (out []float32) {
	for _, x := range v {
		out = append(out, float32(x))
	}
	return out
}

// loss is the cross-entropy of some examples, with dropout on the hidden layer.
func (m *tiny) loss(p *peft.Pass, rows []int) (train.Loss, error) {
	logits, labels := m.logits(p, rows)
	return train.Loss{Value: tensor.CrossEntropy(logits, labels), Targets: len(rows), Tokens: features * len(rows)}, nil
}

func (m *tiny) logits(p *peft.Pass, rows []int) (*tensor.Tensor, []int32) {
	var x []float64
	var labels []int32
	for _, i := range rows {
		x, labels = append(x, m.x[i]...), append(labels, m.labels[i])
	}
	h := m.Hidden.Activated(p, p.Scope().Tensor(x, len(rows), features), tensor.Tanh)
	return m.Classes.Apply(p, p.Dropout(h, 0.1, "hidden")), labels
}

// job is a fresh patch of the model and what trains it.
func (m *tiny) job(t testing.TB, d *tensor.Device) train.Job {
	patch, err := peft.Attach(d, m, peft.Full{}, 1)
	require.NoError(t, err)
	j := train.Job{Patch: patch, Examples: len(m.x), Loss: m.loss}
	j.Eval = func(context.Context) (train.Score, error) { return m.score(d, patch), nil }
	return j
}

// score is the loss on all examples and the share that the patched model gets right.
func (m *tiny) score(d *tensor.Device, patch *peft.Patch) train.Score {
	p := peft.With(d, patch).NoGrad()
	defer p.Close()
	rows := make([]int, len(m.x))
	for i := range rows {
		rows[i] = i
	}
	logits, labels := m.logits(p, rows)
	right := 0
	for i, label := range labels {
		row := logits.Float64s()[i*classesOfTiny : (i+1)*classesOfTiny]
		if row[label] >= max(row[0], row[1], row[2]) {
			right++
		}
	}
	return train.Score{Loss: tensor.CrossEntropy(logits, labels).Item(), Accuracy: float64(right) / float64(len(rows))}
}

// values are the numbers of all parameters.
func values(q *peft.Patch) map[string][]float64 {
	all := map[string][]float64{}
	for x := range q.Params() {
		all[x.Name] = x.Tensor().Float64s()
	}
	return all
}
