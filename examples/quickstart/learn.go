package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// A row is how one contender did on one task.
type row struct {
	Task      string  `json:"task"`
	Method    string  `json:"method"`
	Family    string  `json:"family"`
	Trainable int     `json:"trainable"`
	Total     int     `json:"total"`
	Percent   float64 `json:"percent"`
	Accuracy  float64 `json:"accuracy"`
	Loss      float64 `json:"loss"`
	Seconds   float64 `json:"seconds"`
	FileBytes int64   `json:"file_bytes"`

	curve []train.Eval
	patch *peft.Patch
}

// A lesson is a contender that learns a task.
type lesson struct {
	*task
	contender
	dev      *tensor.Device
	patch    *peft.Patch
	features [2][]float64 // of a frozen base: training and test examples, computed once
}

// learn teaches a task to a contender. steps above 0 end it early.
func learn(ctx context.Context, e cli.Env, d *tensor.Device, t *task, c contender, steps int) (r row, err error) {
	start := time.Now()
	l := &lesson{task: t, contender: c, dev: d}
	if l.patch, err = peft.Attach(d, t.model.Unwrap(), c.method, seed); err != nil {
		return r, err
	}
	if _, frozen := c.method.(peft.Heads); frozen {
		if err := l.precompute(); err != nil {
			return r, err
		}
	}
	total := (t.train.Len() + batch - 1) / batch * c.epochs
	if steps > 0 {
		total = min(total, steps)
	}
	result, err := train.Run(ctx, l.job(), train.Config{
		Steps: total, Batch: batch, GroupByLength: true, LR: c.rate, Rule: c.rule, Warmup: warmup, Clip: clip, Seed: seed, EvalEvery: max(1, total/6), Progress: e.Err,
	})
	if err != nil {
		return r, err
	}
	last, sum := result.Evals[len(result.Evals)-1], l.patch.Summary()
	r = row{
		Task: t.name, Method: c.name, Family: c.family, Trainable: sum.Trainable, Total: sum.Total, Percent: sum.Percent(),
		Accuracy: last.Accuracy, Loss: last.Loss, Seconds: time.Since(start).Seconds(), curve: result.Evals, patch: l.patch,
	}
	r.FileBytes, err = fileBytes(l.patch)
	return r, err
}

// job is the lesson for the training loop.
func (l *lesson) job() train.Job {
	return train.Job{
		Patch: l.patch, Examples: l.train.Len(), Loss: l.loss, Length: func(i int) int { return len(l.train.IDs[i]) },
		Eval: func(ctx context.Context) (train.Score, error) { return train.Evaluate(ctx, l.test.Len(), 64, l.score) },
	}
}

// loss is that of some training examples.
func (l *lesson) loss(p *peft.Pass, rows []int) (train.Loss, error) {
	logits, labels, tokens, err := l.forward(p, l.train, l.features[0], rows)
	if err != nil {
		return train.Loss{}, err
	}
	value, err := models.Loss(logits, labels)
	return train.Loss{Value: value, Targets: len(labels), Tokens: tokens}, err
}

// score is how some test examples are classified.
func (l *lesson) score(rows []int) (s train.Score, targets int, err error) {
	p := peft.With(l.dev, l.patch).NoGrad()
	defer p.Close()
	logits, labels, _, err := l.forward(p, l.test, l.features[1], rows)
	if err != nil {
		return s, 0, err
	}
	loss, err := models.Loss(logits, labels)
	if err != nil {
		return s, 0, err
	}
	return train.Score{Loss: loss.Item(), Accuracy: float64(models.Correct(logits, labels)) / float64(len(labels))}, len(labels), nil
}

// forward is the logits of some examples, from features where those are known.
func (l *lesson) forward(p *peft.Pass, in *models.Inputs, features []float64, rows []int) (logits *tensor.Tensor, labels []int32, tokens int, err error) {
	b, err := in.Batch(l.model.Unwrap(), rows...)
	if err != nil {
		return nil, nil, 0, err
	}
	c := l.model.Unwrap().(models.Classifier)
	if features == nil {
		return c.Forward(p, b), b.Labels, len(b.IDs), nil
	}
	size := len(features) / in.Len()
	var picked []float64
	for _, i := range rows {
		picked = append(picked, features[i*size:(i+1)*size]...)
	}
	x := p.Scope().Tensor(picked, len(rows), size).WithLayout(tensor.Singles(len(rows)))
	return c.Classify(p, x), b.Labels, len(b.IDs), nil
}

// precompute runs the frozen base once over all examples.
func (l *lesson) precompute() error {
	for i, in := range []*models.Inputs{l.train, l.test} {
		for lo := 0; lo < in.Len(); lo += 64 {
			var rows []int
			for j := lo; j < min(lo+64, in.Len()); j++ {
				rows = append(rows, j)
			}
			b, err := in.Batch(l.model.Unwrap(), rows...)
			if err != nil {
				return err
			}
			p := peft.With(l.dev).NoGrad()
			l.features[i] = append(l.features[i], l.model.Unwrap().(models.Classifier).Features(p, b).Float64s()...)
			p.Close()
		}
	}
	return nil
}

// fileBytes is the size of a patch's file.
func fileBytes(q *peft.Patch) (int64, error) {
	dir, err := os.MkdirTemp("", "quickstart-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := peft.Save(filepath.Join(dir, "adapter"), q, peft.Info{}); err != nil {
		return 0, err
	}
	info, err := os.Stat(filepath.Join(dir, "adapter", peft.WeightsFile))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
