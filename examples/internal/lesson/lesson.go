// Package lesson is how programs teach a model some examples and judge it by others, whatever the method.
package lesson

import (
	"context"
	"fmt"
	"math"

	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
	"peft/train"
)

// A Lesson is a model with what it learns, and what it is judged by. Once made it is not changed, so many patches may learn it at once.
type Lesson struct {
	Model       models.Model
	Train, Test *models.Inputs
	features    map[*models.Inputs][]float64 // of a frozen base; nil: to be computed
}

// evalBatch is how many examples are judged at once.
const evalBatch = 64

// Frozen is the lesson for those who train the head alone: what the frozen base sees of every example is computed once, without dropout.
func (l Lesson) Frozen(ctx context.Context, d *tensor.Device) (*Lesson, error) {
	c, ok := l.Model.(models.Classifier)
	if !ok {
		return &l, nil
	}
	l.features = map[*models.Inputs][]float64{}
	for _, in := range []*models.Inputs{l.Train, l.Test} {
		for begin := 0; begin < in.Len(); begin += evalBatch {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			seen, err := l.see(d, c, in, begin)
			if err != nil {
				return nil, err
			}
			l.features[in] = append(l.features[in], seen...)
		}
	}
	return &l, nil
}

// see is what a frozen base sees of a batch of examples.
func (l Lesson) see(d *tensor.Device, c models.Classifier, in *models.Inputs, begin int) ([]float64, error) {
	var rows []int
	for i := begin; i < min(begin+evalBatch, in.Len()); i++ {
		rows = append(rows, i)
	}
	b, err := in.Batch(c, rows...)
	if err != nil {
		return nil, err
	}
	p := peft.With(d).NoGrad()
	defer p.Close()
	return c.Features(p, b).Float64s(), nil
}

// Job is the lesson for a patch, as the training loop wants it.
func (l *Lesson) Job(q *peft.Patch) train.Job {
	return train.Job{
		Patch: q, Examples: l.Train.Len(), Loss: l.Loss, Scores: l.scores, Length: func(i int) int { return len(l.Train.IDs[i]) },
		Eval: func(ctx context.Context) (train.Score, error) {
			return train.Evaluate(ctx, l.Test.Len(), evalBatch, func(rows []int) (train.Score, int, error) { return l.score(q, rows) })
		},
	}
}

// Loss is that of some examples to learn.
func (l *Lesson) Loss(p *peft.Pass, rows []int) (loss train.Loss, err error) {
	b, err := l.Train.Batch(l.Model, rows...)
	if err != nil {
		return loss, err
	}
	loss = train.Loss{Targets: models.Targets(b.Labels), Tokens: len(b.IDs)}
	if l.features == nil {
		loss.Value, err = models.BatchLoss(p, l.Model, b)
	} else {
		loss.Value, err = models.Loss(l.logits(p, l.Train, b, rows), b)
	}
	return loss, err
}

// scores runs the model on some examples to learn, for methods with a loss of their own.
func (l *Lesson) scores(p *peft.Pass, rows []int) (train.Scores, error) {
	b, err := l.Train.Batch(l.Model, rows...)
	if err != nil {
		return train.Scores{}, err
	}
	logits := l.logits(p, l.Train, b, rows)
	return train.Scores{Logits: logits, Labels: b.Scored(logits), Tokens: len(b.IDs)}, nil
}

// score is how a patch does on some examples that it does not learn. Language models have a loss and no accuracy.
func (l *Lesson) score(q *peft.Patch, rows []int) (s train.Score, targets int, err error) {
	b, err := l.Test.Batch(l.Model, rows...)
	if err != nil {
		return s, 0, err
	}
	p := peft.With(q.Sites().Device(), q).NoGrad()
	defer p.Close()
	if targets = models.Targets(b.Labels); l.Model.Task() == models.CausalLM {
		loss, err := models.BatchLoss(p, l.Model, b)
		if err != nil {
			return s, 0, err
		}
		return train.Score{Loss: loss.Item(), Accuracy: math.NaN()}, targets, nil
	}
	logits := l.logits(p, l.Test, b, rows)
	loss, err := models.Loss(logits, b)
	if err != nil {
		return s, 0, err
	}
	return train.Score{Loss: loss.Item(), Accuracy: float64(models.Correct(logits, b)) / float64(max(1, targets))}, targets, nil
}

// logits are those of some examples, from what the frozen base sees of them where that is known.
func (l *Lesson) logits(p *peft.Pass, in *models.Inputs, b *models.Batch, rows []int) *tensor.Tensor {
	if l.features == nil {
		return l.Model.Forward(p, b)
	}
	all, size := l.features[in], len(l.features[in])/in.Len()
	var picked []float64
	for _, i := range rows {
		picked = append(picked, all[i*size:(i+1)*size]...)
	}
	x := p.Scope().Tensor(picked, len(rows), size).WithLayout(tensor.Singles(len(rows)))
	return l.Model.(models.Classifier).Classify(p, x)
}

// The head learns at no less than headRate, however slowly the rest does: it is new.
const headRate, decay = 1e-3, 0.01

// Rule is AdamW for a patch at a learning rate.
func Rule(q *peft.Patch, rate float64) func(*peft.Param) optim.Rule {
	heads := q.Sites().HeadModules()
	return func(x *peft.Param) optim.Rule {
		if peft.Module(x.Name, heads) != "" {
			return optim.AdamW{LR: max(rate, headRate), Decay: decay}
		}
		return optim.AdamW{LR: rate, Decay: decay}
	}
}

// Split takes every so many-th example away from the rest, to judge by: nothing is chosen by the examples of a test.
func Split(in *models.Inputs, every int) (most, some *models.Inputs, err error) {
	if in.Len() < every {
		return nil, nil, fmt.Errorf("found %d examples, expected at least %d: every %dth is kept to judge by", in.Len(), every, every)
	}
	var a, b []int
	for i := range in.Len() {
		if i%every == every-1 {
			b = append(b, i)
		} else {
			a = append(a, i)
		}
	}
	return pick(in, a), pick(in, b), nil
}

// First is the first n examples; all where n is 0 or there are no more.
func First(in *models.Inputs, n int) *models.Inputs {
	if n <= 0 || n >= in.Len() {
		return in
	}
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return pick(in, rows)
}

// pick is some of the examples.
func pick(in *models.Inputs, rows []int) *models.Inputs {
	table := func(t [][]int32) (picked [][]int32) {
		for _, i := range rows {
			if t != nil {
				picked = append(picked, t[i])
			}
		}
		return picked
	}
	return &models.Inputs{IDs: table(in.IDs), Mask: table(in.Mask), Types: table(in.Types), Tasks: table(in.Tasks), Labels: table(in.Labels)}
}
