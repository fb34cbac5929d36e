package train

import (
	"context"
	"fmt"
	"math"

	"peft/tensor/optim"
)

// Evaluate scores examples, a batch at a time, and returns their mean, in which every target weighs the same. It stops with the context's error when that is cancelled. A
// score of the examples in rows comes with the number of targets that it is the mean of.
func Evaluate(ctx context.Context, examples, batch int, score func(rows []int) (s Score, targets int, err error)) (Score, error) {
	var sum Score
	all := 0
	rows := make([]int, 0, batch)
	for begin := 0; begin < examples; begin += batch {
		if ctx.Err() != nil {
			return Score{}, context.Cause(ctx)
		}
		rows = rows[:0]
		for i := begin; i < min(begin+batch, examples); i++ {
			rows = append(rows, i)
		}
		s, n, err := score(rows)
		if err != nil {
			return Score{}, err
		}
		if n > 0 {
			sum.Loss += s.Loss * float64(n)
			sum.Accuracy += s.Accuracy * float64(n)
			all += n
		}
	}
	return Score{sum.Loss / float64(all), sum.Accuracy / float64(all)}, nil
}

// evaluate evaluates if that is due and not done.
func (r *run) evaluate(ctx context.Context) error {
	if !r.evalDue() {
		return nil
	}
	score, err := r.Eval(ctx)
	if err != nil {
		return fmt.Errorf("evaluation after step %d: %w", r.result.Steps, err)
	}
	e := Eval{r.result.Steps, score}
	r.result.Evals = append(r.result.Evals, e)
	if r.KeepBest && r.stale() == 0 {
		r.keep()
	}
	r.meter.eval(e)
	return r.log(e)
}

func (r *run) evalDue() bool {
	step, evals := r.result.Steps, r.result.Evals
	if r.Eval == nil || step == 0 || len(evals) > 0 && evals[len(evals)-1].Step == step {
		return false
	}
	return due(step, r.EvalEvery) || step >= r.total
}

// stale is how many evaluations there were since the one with the lowest loss.
func (r *run) stale() int {
	since, best := 0, 0.0
	for i, e := range r.result.Evals {
		since++
		if i == 0 || e.Loss < best || math.IsNaN(best) && !math.IsNaN(e.Loss) {
			since, best = 0, e.Loss
		}
	}
	return since
}

// keep remembers the parameters as they are.
func (r *run) keep() {
	r.copies()
	i := 0
	for x := range r.opt.Params() {
		r.best[i].Value.Blend(0, 1, x.Value)
		i++
	}
}

// copies makes room for the parameters of the best evaluation, once.
func (r *run) copies() {
	if r.best != nil {
		return
	}
	for x := range r.opt.Params() {
		r.best = append(r.best, optim.Param{Name: x.Name, Value: r.dev.Constant(nil, x.Value.Shape()...)})
	}
}

// restoreBest gives the parameters the values that the best evaluation saw, if they are kept.
func (r *run) restoreBest() {
	i := 0
	for x := range r.opt.Params() {
		if i < len(r.best) {
			x.Value.Blend(0, 1, r.best[i].Value)
		}
		i++
	}
}
