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
// the scores, and no copy of the model or of its gradient.
func Estimate(ctx context.Context, s *peft.Sites, k Kind, d Data) (Scores, error) {
	e := newEstimate(s)
	add := e.label
	if k == Expect {
		add = e.expect
	}
	for i := range d.Len {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("sparsemask: estimating: %w", context.Cause(ctx))
		}
		if err := tensor.Try(func() error { return add(d, i) }); err != nil {
			return nil, fmt.Errorf("sparsemask: estimating on example %d: %w", i, err)
		}
	}
	return e.scores(), nil
}

// An estimate is a model that is watched, and the sums so far. Vectors count as trained; a matrix has a watch.
type estimate struct {
	patch   *peft.Patch
	watches map[*peft.Frozen]*watch
	sums    map[*peft.Frozen]*tensor.Tensor
}

func newEstimate(s *peft.Sites) *estimate {
	e := &estimate{peft.NewPatch(s), map[*peft.Frozen]*watch{}, map[*peft.Frozen]*tensor.Tensor{}}
	for f := range s.Params() {
		e.sums[f] = s.Device().Constant(nil, f.Shape...)
		if len(f.Shape) == 1 {
			e.patch.Train(f)
			continue
		}
		rows := f.Shape[0]
		e.watches[f] = &watch{sum: tensor.Reshape(e.sums[f], rows, f.Len()/rows)}
		e.patch.Substitute(f, e.watches[f])
	}
	return e
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
	p := peft.With(e.patch.Sites().Device(), e.patch).NoGrad()
	defer p.Close()
	logits, err := d.Logits(p, i)
	for _, w := range e.watches {
		w.forget()
	}
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
	p := peft.With(e.patch.Sites().Device(), e.patch)
	defer p.Close()
	l, err := loss(p)
	if err != nil {
		return err
	}
	g := tensor.Backward(l)
	defer g.Release()
	for f, sum := range e.sums {
		if w := e.watches[f]; w != nil {
			w.add(g, share)
		} else if dx := g.Of(e.patch.Param(f.Name).Tensor()); dx != nil {
			square(sum, dx, share)
		}
	}
	return nil
}

// scores are the sums, in the order of the checkpoint.
func (e *estimate) scores() Scores {
	all := Scores{}
	for f, sum := range e.sums {
		all[f.Name] = stored(f, sum.Float64s())
		delete(e.sums, f)
	}
	return all
}
