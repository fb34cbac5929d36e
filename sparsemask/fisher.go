package sparsemask

import (
	"context"
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// Data is the examples from which scores are estimated. Its functions run the model on one example, by its number, in the given pass.
type Data struct {
	Len    int
	Loss   func(p *peft.Pass, i int) (*tensor.Tensor, error) // the loss by the example's label, the mean over its targets; for Label
	Logits func(p *peft.Pass, i int) (*tensor.Tensor, error) // the logits of the example's classes [1×classes]; for Expect
}

// Estimate scores all numbers of a model by their Fisher information: the sum over examples, one at a time, of squared gradients, without dropout and not divided by their number. It holds
// a copy of the model, its gradient and the scores at a time.
func Estimate(ctx context.Context, s *peft.Sites, k Kind, d Data) (Scores, error) {
	e, err := newEstimate(s)
	if err != nil {
		return nil, err
	}
	add := e.label
	if k == Expect {
		add = e.expect
	}
	for i := range d.Len {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("sparsemask: estimating: %w", err)
		}
		if err := tensor.Try(func() error { return add(d, i) }); err != nil {
			return nil, fmt.Errorf("sparsemask: estimating on example %d: %w", i, err)
		}
	}
	return e.scores(), nil
}

// An estimate is a model of which everything counts as trained, and the sums so far.
type estimate struct {
	all  *peft.Patch
	sums map[*peft.Param]*tensor.Tensor
}

func newEstimate(s *peft.Sites) (*estimate, error) {
	all, err := peft.AttachTo(s, peft.Full{}, 0)
	if err != nil {
		return nil, err
	}
	e := &estimate{all, map[*peft.Param]*tensor.Tensor{}}
	for x := range all.Params() {
		e.sums[x] = s.Device().Constant(nil, x.Tensor().Shape()...)
	}
	return e, nil
}

// label adds the squared gradients of an example's loss.
func (e *estimate) label(d Data, i int) error {
	return e.add(1, func(p *peft.Pass) (*tensor.Tensor, error) { return d.Loss(p, i) })
}

// expect adds Σ_c p_c·(∂ −log p_c)², with the model's probabilities p_c. A backward pass consumes what the forward pass has made, so there is one for each class.
func (e *estimate) expect(d Data, i int) error {
	probabilities, err := e.predict(d, i)
	if err != nil {
		return err
	}
	for c, share := range probabilities {
		err := e.add(share, func(p *peft.Pass) (*tensor.Tensor, error) {
			logits, err := d.Logits(p, i)
			if err != nil {
				return nil, err
			}
			return tensor.CrossEntropy(logits, []int32{int32(c)}), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *estimate) predict(d Data, i int) ([]float64, error) {
	p := peft.With(e.all.Sites().Device(), e.all).NoGrad()
	defer p.Close()
	logits, err := d.Logits(p, i)
	if err != nil {
		return nil, err
	}
	if logits.Rows() != 1 {
		return nil, fmt.Errorf("%d rows of logits, expected the one of a classifier", logits.Rows())
	}
	return tensor.Softmax(logits).Float64s(), nil
}

// add adds a share of the squared gradients of a loss.
func (e *estimate) add(share float64, loss func(p *peft.Pass) (*tensor.Tensor, error)) error {
	p := peft.With(e.all.Sites().Device(), e.all)
	defer p.Close()
	l, err := loss(p)
	if err != nil {
		return err
	}
	g := tensor.Backward(l)
	defer g.Release()
	for x, sum := range e.sums {
		if dx := g.Of(x.Tensor()); dx != nil {
			e.square(sum, dx, share)
		}
	}
	return nil
}

func (e *estimate) square(sum, dx *tensor.Tensor, share float64) {
	s := tensor.NewScope(dx.Device()).NoGrad()
	defer s.Close()
	dx = s.Use(dx)
	sum.Blend(1, share, tensor.Mul(dx, dx))
}

// scores are the sums, in the order of the checkpoint.
func (e *estimate) scores() Scores {
	all := Scores{}
	for x, sum := range e.sums {
		all[x.Name] = e.all.AsStored(x, sum).Float64s()
		delete(e.sums, x)
	}
	return all
}
