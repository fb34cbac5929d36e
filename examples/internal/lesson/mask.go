package lesson

import (
	"context"
	"math/rand/v2"

	"peft/peft"
	"peft/sparsemask"
	"peft/tensor"
)

// Attach attaches a method. One that has to see examples first, to choose what it trains, sees some of those to learn.
func (l *Lesson) Attach(ctx context.Context, s *peft.Sites, m peft.Method, seed uint64) (*peft.Patch, error) {
	if c, ok := m.(sparsemask.Config); ok && c.NeedsScores() {
		var err error
		if c.Scores, err = sparsemask.Estimate(ctx, s, c.Fisher, l.samples(c.Samples, seed)); err != nil {
			return nil, err
		}
		m = c
	}
	return peft.AttachTo(s, m, seed)
}

// samples are so many examples, drawn by the seed; 0: all.
func (l *Lesson) samples(n int, seed uint64) sparsemask.Data {
	rows := rand.New(rand.NewPCG(seed, 0)).Perm(l.Train.Len())
	if n > 0 {
		rows = rows[:min(n, len(rows))]
	}
	return sparsemask.Data{
		Len: len(rows),
		Loss: func(p *peft.Pass, i int) (*tensor.Tensor, error) {
			loss, err := l.Loss(p, rows[i:i+1])
			return loss.Value, err
		},
		Logits: func(p *peft.Pass, i int) (*tensor.Tensor, error) {
			b, err := l.Train.Batch(l.Model, rows[i])
			if err != nil {
				return nil, err
			}
			return l.Model.Forward(p, b), nil
		},
	}
}
