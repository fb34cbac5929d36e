package train

import (
	"errors"
	"iter"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
)

// A Penalizer is a method that adds a term of its own to the loss, a scalar, as AdaLoRA does for orthogonality.
type Penalizer interface {
	Penalty(p *peft.Pass, q *peft.Patch) *tensor.Tensor
}

// A Stepper is a method that moves state of its patch after each step, as AdaLoRA does with its ranks.
type Stepper interface {
	// Stepped is called when a step of a run of total steps, counted from 1, has updated the parameters. The gradients are those it used before clipping, up to a
	// factor that they have in common; they are valid during the call.
	Stepped(q *peft.Patch, grads tensor.Grads, step, total int) error
	// State is what Stepped moves beside the parameters, fixed ones included: checkpoints hold it too.
	State(q *peft.Patch) []optim.Param
}

// A Starter is a method that readies its patch for training, as constrained OFT does by moving it to where it may be.
type Starter interface {
	// Start is called before the first step, and before a checkpoint is read.
	Start(q *peft.Patch) error
}

// An Objective is a method with a loss of its own, as AdaMix has, which compares two passes, or context-aware prompts, whose own tokens are to be predicted.
type Objective interface {
	// Objective is the loss of some examples. Scores runs the model on them in a pass: the one given, or another of it. A nil loss is the job's.
	Objective(p *peft.Pass, scores func(*peft.Pass) (logits *tensor.Tensor, labels []int32, err error)) (*tensor.Tensor, error)
}

// hooks are the methods that a patch is combined of and that have an ability.
func hooks[T any](q *peft.Patch) iter.Seq[T] {
	return func(yield func(T) bool) {
		for m := range peft.Methods(q.Method()) {
			if h, ok := m.(T); ok && !yield(h) {
				return
			}
		}
	}
}

// Penalized is a loss with the terms that the method of a patch adds to it.
func Penalized(p *peft.Pass, q *peft.Patch, loss *tensor.Tensor) *tensor.Tensor {
	for h := range hooks[Penalizer](q) {
		loss = tensor.Add(loss, h.Penalty(p, q))
	}
	return loss
}

// OwnLoss is the loss that a patch's method has of its own; nil where it has none. Scores runs the model in a pass.
func OwnLoss(p *peft.Pass, q *peft.Patch, scores func(*peft.Pass) (logits *tensor.Tensor, labels []int32, err error)) (*tensor.Tensor, error) {
	for h := range hooks[Objective](q) {
		if loss, err := h.Objective(p, scores); err != nil || loss != nil {
			return loss, err
		}
	}
	return nil, nil
}

// loss is that of some examples: a method's own, or the job's.
func (r *run) loss(p *peft.Pass, rows []int) (l Loss, err error) {
	l.Value, err = OwnLoss(p, r.Patch, func(p *peft.Pass) (*tensor.Tensor, []int32, error) {
		if r.Job.Scores == nil {
			return nil, nil, errors.New("the method has a loss of its own, for which Job.Scores must be given")
		}
		s, err := r.Job.Scores(p, rows)
		l.Targets, l.Tokens = s.targets(), s.Tokens
		return s.Logits, s.Labels, err
	})
	if err != nil || l.Value != nil {
		return l, err
	}
	return r.Job.Loss(p, rows)
}

// ready lets the patch's method ready it.
func (r *run) ready() error {
	for h := range hooks[Starter](r.Patch) {
		if err := h.Start(r.Patch); err != nil {
			return err
		}
	}
	return nil
}

// stepped tells the patch's method that the parameters have moved.
func (r *run) stepped() error {
	for h := range hooks[Stepper](r.Patch) {
		if err := h.Stepped(r.Patch, r.grads, r.result.Steps+1, r.total); err != nil {
			return err
		}
	}
	return nil
}
