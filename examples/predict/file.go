package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"peft/examples/internal/cli"
	"peft/internal/plainjson"
	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/tensor/safetensors"
	"peft/train"
)

// most is how many examples are computed at a time.
const most = 32

// chunk is how many examples are computed at a time: as many as a composition needs.
func (p predictor) chunk() int {
	n := most
	for _, q := range p.patches {
		if q.Batch() > 0 {
			n = q.Batch()
		}
	}
	return n
}

// copies is how often all examples are computed: once for each of the adapters that are parallel.
func (p predictor) copies() int {
	n := 1
	for _, q := range p.patches {
		n = max(n, q.Copies())
	}
	return n
}

// An outcome is what a file of examples comes to.
type outcome struct {
	shape  []int
	logits [][]float64 // of each copy of the examples
	loss   float64
	grads  tensor.Grads
}

// file computes a file of examples.
func file(ctx context.Context, e cli.Env, p predictor, o options) error {
	f, err := safetensors.Open(o.in)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := p.inputs(f, o)
	if err != nil {
		return fmt.Errorf("%s: %w", o.in, err)
	}
	route, err := readRoute(o.route, in.Len(), len(p.patches))
	if err != nil {
		return err
	}
	var out outcome
	chunk := p.chunk()
	for lo := 0; lo < in.Len(); lo += chunk {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := p.rows(&out, in, route, lo, min(lo+chunk, in.Len()), o.grad); err != nil {
			return fmt.Errorf("%s: %w", o.in, err)
		}
	}
	return safetensors.Write(o.out, p.tensors(e, out, in, o), nil)
}

// inputs are the examples, which suit the model. Without a head there is nothing to score with labels.
func (p predictor) inputs(f *safetensors.File, o options) (*models.Inputs, error) {
	in, err := models.ReadInputs(f)
	switch {
	case err != nil:
		return nil, err
	case o.grad && p.model.Task() == models.NoTask:
		return nil, errors.New("-grad needs a loss, which a model without a head has not")
	case o.grad && in.Labels == nil:
		return nil, errors.New("-grad needs labels, found none")
	case p.model.Task() == models.NoTask:
		in.Labels = nil
	}
	return in, p.model.Check(in, p.taken())
}

// rows computes some of the examples and adds them to the outcome.
func (p predictor) rows(out *outcome, in *models.Inputs, route []int, lo, hi int, grad bool) error {
	var numbers, through []int
	for range p.copies() {
		for i := lo; i < hi; i++ {
			numbers = append(numbers, i)
		}
		if route != nil {
			through = append(through, route[lo:hi]...)
		}
	}
	b, err := in.Batch(p.model.Unwrap(), numbers...)
	if err != nil {
		return err
	}
	pass := peft.With(p.dev, p.patches...)
	defer pass.Close()
	pass.Tasks = b.Tasks
	if route != nil {
		pass.Route(through)
	}
	if !grad {
		pass.NoGrad()
	}
	logits := p.model.Forward(pass, b)
	shape, values := b.Unpack(logits)
	out.add(values, p.copies())
	out.shape = append([]int{in.Len() * p.copies()}, shape[1:]...)
	if b.Labels == nil {
		return nil
	}
	loss, err := p.loss(pass, logits, b)
	if err != nil {
		return err
	}
	out.score(loss, float64(models.Targets(b.Labels))/float64(max(1, p.copies()*in.Targets(p.model.Unwrap()))), grad)
	return nil
}

// loss is that of some rows: an adapter's own, or that of their labels, with the terms that adapters add.
func (p predictor) loss(pass *peft.Pass, logits *tensor.Tensor, b *models.Batch) (loss *tensor.Tensor, err error) {
	for _, q := range p.patches {
		loss, err = train.OwnLoss(pass, q, func(*peft.Pass) (*tensor.Tensor, []int32, error) { return logits, b.Scored(logits), nil })
		if err != nil || loss != nil {
			break
		}
	}
	if err == nil && loss == nil {
		loss, err = models.Loss(logits, b)
	}
	if err != nil {
		return nil, err
	}
	for _, q := range p.patches {
		loss = train.Penalized(pass, q, loss)
	}
	return loss, nil
}

// add adds the logits of some rows, which hold all examples several times.
func (out *outcome) add(values []float64, copies int) {
	if out.logits == nil {
		out.logits = make([][]float64, copies)
	}
	n := len(values) / copies
	for i := range copies {
		out.logits[i] = append(out.logits[i], values[i*n:(i+1)*n]...)
	}
}

// score adds the loss of some rows, and its gradients, weighted by their share of all targets.
func (out *outcome) score(loss *tensor.Tensor, share float64, grad bool) {
	if share == 0 {
		return
	}
	out.loss += share * loss.Item()
	if grad {
		out.grads = tensor.BackwardInto(out.grads, loss, share)
	}
}

// readRoute reads the adapter number of each row; nil without a file.
func readRoute(path string, rows, adapters int) (route []int, err error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &route); err != nil {
		return nil, fmt.Errorf("%s: expected a JSON list of numbers: %w", path, plainjson.Error(err))
	}
	if len(route) != rows {
		return nil, fmt.Errorf("%s: found %d numbers, expected one for each of %d rows", path, len(route), rows)
	}
	for i, a := range route {
		if a < -1 || a >= adapters {
			return nil, fmt.Errorf("%s: row %d goes to adapter %d, expected -1, for none, to %d", path, i, a, adapters-1)
		}
	}
	return route, nil
}

// tensors are the outcome as a file holds it.
func (p predictor) tensors(e cli.Env, out outcome, in *models.Inputs, o options) []safetensors.Tensor {
	numbers := func(name string, shape []int, v []float64) safetensors.Tensor {
		if o.f64 {
			return safetensors.F64(name, shape, v)
		}
		return safetensors.F32(name, shape, narrow(v))
	}
	name := "logits"
	if p.model.Task() == models.NoTask {
		name = "hidden"
	}
	all := []safetensors.Tensor{numbers(name, out.shape, slices.Concat(out.logits...))}
	if in.Labels != nil {
		all = append(all, numbers("loss", []int{}, []float64{out.loss}))
	}
	if o.grad {
		p.gradients(e, out.grads, func(key string, g *tensor.Tensor) { all = append(all, numbers("grad."+key, g.Shape(), g.Float64s())) })
	}
	return all
}

// gradients calls add with the gradient by each trained tensor of the adapters under its key. Of several adapters with one key the first has it.
func (p predictor) gradients(e cli.Env, grads tensor.Grads, add func(key string, g *tensor.Tensor)) {
	seen := map[string]*peft.Patch{}
	for i, q := range p.patches {
		twice := 0
		for key, x := range q.Keyed {
			if x.Fixed {
				continue
			}
			g := grads.Of(x.Tensor())
			if g == nil { // the loss does not reach it
				g = p.dev.Constant(nil, x.Tensor().Shape()...)
			}
			g = q.AsStored(x, g)
			for _, key := range append([]string{key}, q.Aliases(x)...) {
				switch seen[key] {
				case nil:
					add(key, g)
					seen[key] = q
				case q:
				default:
					twice++
				}
			}
		}
		if twice > 0 {
			fmt.Fprintf(e.Err, "warning: adapter %d has %d tensors under keys of adapters before it, whose gradients are written, not its\n", i, twice)
		}
	}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}
