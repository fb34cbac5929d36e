package train

import (
	"context"
	"errors"
	"fmt"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
)

// A Result is what a run came to. It counts the whole run, also what was done before it was resumed.
type Result struct {
	Steps       int     // how many were done
	Loss        float64 // of the last step, before its update
	Evals       []Eval  // all evaluations
	Tokens      int     // how many were trained on
	Seconds     float64 // in steps: without evaluations and checkpoints
	Interrupted bool    // the context was cancelled
}

// TokensPerSecond is the speed of training.
func (r Result) TokensPerSecond() float64 { return speed(r.Tokens, r.Seconds) }

func speed(tokens int, seconds float64) float64 {
	if seconds == 0 {
		return 0
	}
	return float64(tokens) / seconds
}

// Run trains the patch of a job in place.
//
// When the context is cancelled, the run finishes its step, writes its checkpoint if it has one, and returns what it came to with an error that wraps the context's: the
// patch is whole and may be saved. On any other error too the patch holds what the last good step made. A loss or a gradient that is not finite is a [*NotFiniteError].
func Run(ctx context.Context, j Job, c Config) (Result, error) {
	c = c.withDefaults()
	if err := c.check(j); err != nil {
		return Result{}, fmt.Errorf("train: %w", err)
	}
	r, err := newRun(j, c)
	if err != nil {
		return Result{}, fmt.Errorf("train: %w", err)
	}
	err = tensor.Try(func() error { return r.run(ctx) })
	if err != nil {
		err = fmt.Errorf("train: %w", err)
	}
	return r.result, err
}

// A run is a job under way.
type run struct {
	Job
	Config
	dev      *tensor.Device
	opt      *optim.Optimizer
	schedule optim.Schedule
	order    *order
	rate     float64      // the first parameter's learning rate, before the schedule
	total    int          // how many steps the run has
	grads    tensor.Grads // empty between steps
	targets  float64      // by what the rules divide gradients, see scaled
	best     []optim.Param
	saved    int // the step that the run's checkpoint on the disk is of; 0 where there is none
	meter    *meter
	result   Result
}

func newRun(j Job, c Config) (*run, error) {
	r := &run{Job: j, Config: c, dev: j.Patch.Sites().Device(), order: c.order(j), total: c.Steps}
	if r.total == 0 {
		r.total = r.order.total(c.Epochs)
	}
	var err error
	if r.schedule, err = optim.Named(c.Schedule, c.warmup(r.total), r.total); err != nil {
		return nil, err
	}
	if r.opt, err = optim.New(r.groups()...); err != nil {
		return nil, err
	}
	r.meter = newMeter(c.Progress, r.total)
	return r, nil
}

// groups are the trained parameters with the rules that update them.
func (r *run) groups() (all []optim.Group) {
	for x := range r.Patch.Params() {
		if x.Fixed {
			continue
		}
		rule := r.Rule(x)
		if all == nil {
			r.rate = rule.Rate()
		}
		all = append(all, optim.Group{Rule: scaled{rule, &r.targets}, Params: tensors(x)})
	}
	return all
}

// tensors are the tensors of a parameter: one, or the pool of a mixture.
func tensors(x *peft.Param) (all []optim.Param) {
	for i, t := range x.Pool {
		name := x.Name
		if len(x.Pool) > 1 {
			name = fmt.Sprintf("%s[%d]", x.Name, i)
		}
		all = append(all, optim.Param{Name: name, Value: t})
	}
	return all
}

// run resumes, trains and ends.
func (r *run) run(ctx context.Context) error {
	if err := r.ready(); err != nil {
		return err
	}
	if err := r.resume(); err != nil {
		return err
	}
	if err := r.rewind(); err != nil {
		return err
	}
	defer r.meter.end()
	err := r.loop(ctx)
	if err != nil && !r.interrupted(ctx, err) {
		return err
	}
	err = errors.Join(err, r.save())
	r.restoreBest()
	return err
}

// interrupted tells whether an error is the context's.
func (r *run) interrupted(ctx context.Context, err error) bool {
	r.result.Interrupted = ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
	return r.result.Interrupted
}

// loop goes from step to step. What is due after a step comes first, since a run that was interrupted there has it still before it.
func (r *run) loop(ctx context.Context) error {
	for {
		if err := r.evaluate(ctx); err != nil {
			return err
		}
		if r.ended() {
			return nil
		}
		if due(r.result.Steps, r.CheckpointEvery) {
			if err := r.save(); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted after step %d of %d: %w", r.result.Steps, r.total, context.Cause(ctx))
		}
		if err := r.step(); err != nil {
			return err
		}
	}
}

func (r *run) ended() bool {
	return r.result.Steps >= r.total || r.Patience > 0 && r.stale() >= r.Patience
}

// due tells whether something that happens every so many steps happens after this one.
func due(step, every int) bool { return step > 0 && every > 0 && step%every == 0 }

// rewind cuts the log back to the step that the run begins after.
func (r *run) rewind() error {
	if l, ok := r.Log.(interface{ Rewind(step int) error }); ok {
		return l.Rewind(r.result.Steps)
	}
	return nil
}
