package train

import (
	"errors"
	"fmt"
	"time"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
)

// A NotFiniteError says that training has diverged. The parameters are those that the step before it left.
type NotFiniteError struct {
	Step  int     // counted from 1
	What  string  // "loss" or "gradient's norm"
	Value float64 // an infinity or NaN
}

func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("step %d: the %s is %v, want a finite number; the parameters stay as they were before the step", e.Step, e.What, e.Value)
}

// A batch is what the micro-batches of a step add up to.
type batch struct {
	loss            float64 // summed over targets
	targets, tokens int
	unit            int // the number of targets of the first micro-batch, whose gradient is taken as it is
}

// step does one step: forward and backward for each micro-batch, then the update.
func (r *run) step() error {
	start, step := time.Now(), r.result.Steps+1
	defer func() { r.grads.Release() }()
	var b batch
	for micro, rows := range r.order.step(step - 1) {
		if err := r.micro(&b, micro, rows); err != nil {
			return err
		}
	}
	if b.targets == 0 || r.grads.Len() == 0 {
		return fmt.Errorf("step %d: %w", step, b.empty())
	}
	factor := r.schedule(step - 1)
	norm, err := r.update(b, factor)
	if err != nil {
		return err
	}
	if err := r.stepped(); err != nil {
		return fmt.Errorf("step %d: %w", step, err)
	}
	return r.record(b, Step{Step: step, Loss: b.loss / float64(b.targets), LR: factor * r.rate, GradNorm: norm}, time.Since(start).Seconds())
}

// empty is why there is nothing to update with.
func (b batch) empty() error {
	if b.targets == 0 {
		return errors.New("its examples have no targets")
	}
	return errors.New("no gradient reached any parameter of the patch: does the model compute through its sites?")
}

// micro runs the model forth and back on some examples and adds to the step's gradient, each target weighing the same. Examples without targets add nothing.
func (r *run) micro(b *batch, micro int, rows []int) error {
	p := r.pass(micro)
	defer p.Close()
	l, err := r.loss(p, rows)
	if err != nil {
		return fmt.Errorf("step %d: %w", r.result.Steps+1, err)
	}
	b.tokens += l.Tokens
	if l.Targets == 0 {
		return nil
	}
	total := Penalized(p, r.Patch, l.Value)
	value := total.Item()
	if !finite(value) {
		return &NotFiniteError{r.result.Steps + 1, "loss", value}
	}
	if b.unit == 0 {
		b.unit = l.Targets
	}
	b.targets += l.Targets
	b.loss += value * float64(l.Targets)
	r.grads = tensor.BackwardInto(r.grads, total, float64(l.Targets)/float64(b.unit))
	return nil
}

// pass is a forward pass of training. Its randomness follows from the seed, the step and the micro-batch.
func (r *run) pass(micro int) *peft.Pass {
	p := peft.With(r.dev, r.Patch)
	p.Train, p.Draws, p.Recompute, p.Seed = !r.NoDropout, true, r.Recompute, peft.Seed(r.Seed, r.result.Steps, micro)
	return p
}

// update moves the parameters and returns the norm of the gradient of the mean loss.
func (r *run) update(b batch, factor float64) (norm float64, err error) {
	r.targets = float64(b.targets) / float64(b.unit)
	r.opt.MaxNorm = r.Clip * r.targets
	norm, err = r.opt.Step(r.grads, factor)
	if errors.Is(err, optim.ErrNotFinite) {
		err = &NotFiniteError{r.result.Steps + 1, "gradient's norm", norm}
	}
	return norm / r.targets, err
}

// A scaled rule divides the gradients that it is given, which are a sum, by how many they are the sum of.
type scaled struct {
	optim.Rule
	by *float64
}

// Update moves a parameter by the rule.
func (s scaled) Update(param, grad *tensor.Tensor, moments []*tensor.Tensor, at optim.Stroke) {
	at.Scale /= *s.by
	s.Rule.Update(param, grad, moments, at)
}

// record counts and logs a step that was done.
func (r *run) record(b batch, s Step, seconds float64) error {
	r.result.Steps, r.result.Loss = s.Step, s.Loss
	r.result.Tokens += b.tokens
	r.result.Seconds += seconds
	s.TokensPerSecond = speed(b.tokens, seconds)
	r.meter.step(s)
	return r.log(s)
}

func (r *run) log(record any) error {
	if err := writeLine(r.Log, record); err != nil {
		return fmt.Errorf("log of step %d: %w", r.result.Steps, err)
	}
	return nil
}
