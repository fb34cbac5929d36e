package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
	"peft/sparsemask"
	"peft/tensor"
)

// estimate makes the scores of a sparse mask that needs them; any other method stays as it is.
func (j *job) estimate(ctx context.Context, e cli.Env, m peft.Method, o options) (peft.Method, error) {
	c, ok := m.(sparsemask.Config)
	if !ok || !c.NeedsScores() {
		return m, nil
	}
	in := j.data
	if c.Data != "" {
		var err error
		if in, err = j.read(c.Data); err != nil {
			return nil, err
		}
	}
	sites, err := peft.FindSites(j.dev, j.model.Unwrap())
	if err != nil {
		return nil, err
	}
	data := j.examples(in, c.Samples, o.train.Seed)
	fmt.Fprintf(e.Err, "estimating which numbers matter on %d examples\n", data.Len)
	c.Scores, err = sparsemask.Estimate(ctx, sites, c.Fisher, data)
	return c, err
}

// examples are so many of the inputs, drawn by the seed; 0: all.
func (j *job) examples(in *models.Inputs, samples int, seed uint64) sparsemask.Data {
	rows := rand.New(rand.NewPCG(seed, 0)).Perm(in.Len())
	if samples > 0 {
		rows = rows[:min(samples, len(rows))]
	}
	model := j.model.Unwrap()
	return sparsemask.Data{
		Len: len(rows),
		Loss: func(p *peft.Pass, i int) (*tensor.Tensor, error) {
			b, err := in.Batch(model, rows[i])
			if err != nil {
				return nil, err
			}
			return models.BatchLoss(p, model, b)
		},
		Logits: func(p *peft.Pass, i int) (*tensor.Tensor, error) {
			b, err := in.Batch(model, rows[i])
			if err != nil {
				return nil, err
			}
			return model.Forward(p, b), nil
		},
	}
}
