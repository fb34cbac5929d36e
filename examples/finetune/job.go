package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
	"peft/tensor/safetensors"
	"peft/train"
)

// job is the work as the training loop wants it.
func (j *job) job() train.Job {
	w := train.Job{
		Patch: j.patch, Examples: j.data.Len(), Loss: j.loss, Scores: j.scores,
		Length: func(row int) int { return len(j.data.IDs[row]) },
	}
	if j.eval != nil {
		w.Eval = j.evaluate
	}
	return w
}

// loss runs the model on some examples.
func (j *job) loss(p *peft.Pass, rows []int) (train.Loss, error) {
	b, err := j.data.Batch(j.model.Unwrap(), rows...)
	if err != nil {
		return train.Loss{}, err
	}
	p.Tasks = b.Tasks
	value, err := models.BatchLoss(p, j.model.Unwrap(), b)
	return train.Loss{Value: value, Targets: models.Targets(b.Labels), Tokens: len(b.IDs)}, err
}

// scores runs the model on some examples, for methods with a loss of their own.
func (j *job) scores(p *peft.Pass, rows []int) (train.Scores, error) {
	b, err := j.data.Batch(j.model.Unwrap(), rows...)
	if err != nil {
		return train.Scores{}, err
	}
	p.Tasks = b.Tasks
	logits := j.model.Forward(p, b)
	return train.Scores{Logits: logits, Labels: b.Scored(logits), Tokens: len(b.IDs)}, nil
}

// evalBatch is how many examples are evaluated at once.
const evalBatch = 32

// evaluate runs the model on what it is not trained on.
func (j *job) evaluate(ctx context.Context) (train.Score, error) {
	return train.Evaluate(ctx, j.eval.Len(), evalBatch, j.score)
}

// score runs the model on some examples that it is not trained on.
func (j *job) score(rows []int) (s train.Score, targets int, err error) {
	b, err := j.eval.Batch(j.model.Unwrap(), rows...)
	if err != nil {
		return s, 0, err
	}
	p := peft.With(j.dev, j.patch).NoGrad()
	defer p.Close()
	p.Tasks = b.Tasks
	targets = models.Targets(b.Labels)
	if j.model.Task() == models.CausalLM {
		loss, err := models.BatchLoss(p, j.model.Unwrap(), b)
		if err != nil {
			return s, 0, err
		}
		return train.Score{Loss: loss.Item(), Accuracy: math.NaN()}, targets, nil
	}
	logits := j.model.Forward(p, b)
	loss, err := models.Loss(logits, b)
	if err != nil {
		return s, 0, err
	}
	s = train.Score{Loss: loss.Item(), Accuracy: float64(models.Correct(logits, b)) / float64(max(1, targets))}
	return s, targets, nil
}

// save writes the adapter folder, the tensors as F64 if asked for, and the line of JSON.
func (j *job) save(e cli.Env, o options, r train.Result) error {
	if err := peft.Save(o.out, j.patch, cli.Info(o.model, j.model, j.labels.Names())); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "saved %s\n", o.out)
	if o.saveF64 != "" {
		if err := j.saveF64(o.saveF64); err != nil {
			return err
		}
	}
	if !o.json {
		return nil
	}
	return j.report(e, r)
}

// saveF64 writes the trained tensors, in their final form, under their keys in the adapter file.
func (j *job) saveF64(path string) error {
	q, err := peft.Collapse(j.patch)
	if err != nil {
		return err
	}
	var all []safetensors.Tensor
	for key, x := range q.Keyed {
		if x.Fixed {
			continue
		}
		for _, key := range append([]string{key}, q.Aliases(x)...) {
			t := q.AsStored(x, x.Tensor())
			all = append(all, safetensors.F64(key, t.Shape(), t.Float64s()))
		}
	}
	return safetensors.Write(path, all, nil)
}

// report prints how the run went.
func (j *job) report(e cli.Env, r train.Result) error {
	line := struct {
		Trainable    int      `json:"trainable"`
		Total        int      `json:"total"`
		Percent      float64  `json:"percent"`
		Steps        int      `json:"steps"`
		Loss         float64  `json:"loss"`
		EvalAccuracy *float64 `json:"eval_accuracy"`
		Seconds      float64  `json:"seconds"`
		TokensPerSec float64  `json:"tokens_per_second"`
		PeakRSS      int64    `json:"peak_rss_bytes"`
	}{j.summary.Trainable, j.summary.Total, j.summary.Percent(), r.Steps, r.Loss, nil, r.Seconds, r.TokensPerSecond(), train.PeakRSS()}
	if n := len(r.Evals); n > 0 && !math.IsNaN(r.Evals[n-1].Accuracy) {
		line.EvalAccuracy = &r.Evals[n-1].Accuracy
	}
	if math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0) {
		return errors.New("the loss is not finite")
	}
	return json.NewEncoder(e.Out).Encode(line)
}
