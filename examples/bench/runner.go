package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
	"peft/train"
)

// A runner does training steps on one batch.
type runner struct {
	options
	dev    *tensor.Device
	model  *models.Opened
	patch  *peft.Patch
	opt    *optim.Optimizer
	batch  *models.Batch
	lastly float64       // the loss of the last step
	took   time.Duration // all timed steps
}

// A line is the outcome, as the program prints it.
type line struct {
	Shape     string  `json:"shape"`
	Method    string  `json:"method"`
	Rank      int     `json:"rank"`
	Targets   string  `json:"targets"`
	DType     string  `json:"dtype"`
	Threads   int     `json:"threads"`
	Batch     int     `json:"batch"`
	Seq       int     `json:"seq"`
	Fill      float64 `json:"fill"`
	StepMS    float64 `json:"step_ms"`
	MinMS     float64 `json:"min_ms"`
	TokS      float64 `json:"tok_s"`
	Trainable int     `json:"trainable"`
	Params    int     `json:"params"`
	PeakMB    float64 `json:"peak_mb"`
	Loss      float64 `json:"loss"`
}

func newRunner(d *tensor.Device, m *models.Opened, q *peft.Patch, o options) (*runner, error) {
	r := &runner{options: o, dev: d, model: m, patch: q}
	var params []optim.Param
	for x := range q.Params() {
		if !x.Fixed {
			params = append(params, optim.Param{Name: x.Name, Value: x.Tensor()})
		}
	}
	var err error
	if r.opt, err = optim.New(optim.Group{Rule: optim.AdamW{LR: 1e-4, Decay: 0.01}, Params: params}); err != nil {
		return nil, err
	}
	r.batch, err = r.examples()
	return r, err
}

// examples is a batch of random tokens and labels: classes, or for a causal language model the tokens themselves.
func (r *runner) examples() (*models.Batch, error) {
	rng := rand.New(rand.NewPCG(1, 1))
	in := &models.Inputs{}
	var all []int
	for i := range r.options.batch {
		ids, mask, labels := make([]int32, r.seq), make([]int32, r.seq), []int32{rng.Int32N(2)}
		for t := range r.length(i) {
			ids[t], mask[t] = 5+rng.Int32N(29995), 1
		}
		if r.model.Task() == models.CausalLM {
			labels = slices.Clone(ids)
			for t := r.length(i); t < r.seq; t++ {
				labels[t] = tensor.Ignore
			}
		}
		in.IDs, in.Mask, in.Labels, all = append(in.IDs, ids), append(in.Mask, mask), append(in.Labels, labels), append(all, i)
	}
	return in.Batch(r.model.Unwrap(), all...)
}

// length is how many tokens row i has.
func (r *runner) length(i int) int {
	n := r.options.batch
	if r.fill == 1 || i == n-1 {
		return r.seq
	}
	return min(max(int(float64(r.seq)*r.fill*(0.5+(float64(i)+0.5)/float64(n))), 4), r.seq)
}

// step does one step.
func (r *runner) step(number int) error {
	p := peft.With(r.dev, r.patch)
	defer p.Close()
	p.Train, p.Seed = true, peft.Seed(1, number, 0)
	loss, err := models.BatchLoss(p, r.model.Unwrap(), r.batch)
	if err != nil {
		return err
	}
	g := tensor.Backward(loss)
	defer g.Release()
	r.lastly = loss.Item()
	_, err = r.opt.Step(g, 1)
	return err
}

// time does all steps and says how long they took; begin is called when the first ones are done, which are not timed.
func (r *runner) time(ctx context.Context, begin func()) (line, error) {
	var ms []float64
	for i := range r.warmup + r.steps {
		if ctx.Err() != nil {
			return line{}, context.Cause(ctx)
		}
		if i == r.warmup {
			begin()
		}
		start := time.Now()
		if err := r.step(i); err != nil {
			return line{}, err
		}
		if i >= r.warmup {
			took := time.Since(start)
			r.took += took
			ms = append(ms, took.Seconds()*1e3)
		}
	}
	slices.Sort(ms)
	median := (ms[len(ms)/2] + ms[(len(ms)-1)/2]) / 2
	return line{
		Shape: r.shape, Method: r.method, Rank: r.rank, Targets: r.targets, DType: r.dtype, Threads: r.threads, Batch: r.options.batch, Seq: r.seq, Fill: r.fill,
		StepMS: median, MinMS: ms[0], TokS: float64(len(r.batch.IDs)) / median * 1e3, Trainable: r.patch.Trainable(), Params: r.patch.Sites().Count(),
		PeakMB: float64(train.PeakRSS()) / (1 << 20), Loss: r.lastly,
	}, nil
}
