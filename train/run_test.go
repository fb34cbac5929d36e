package train_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
	"peft/train"
)

func TestRunLearns(t *testing.T) {
	for name, d := range map[string]*tensor.Device{"reference": tensor.Reference(), "cpu": tensor.CPU(1)} {
		m := newTiny(48)
		j := m.job(t, d)
		before := m.score(d, j.Patch)
		r, err := train.Run(t.Context(), j, train.Config{Epochs: 30, Batch: 8, LR: 0.05, Clip: 1, Warmup: 0.1, EvalEvery: 60})
		require.NoError(t, err, name)
		require.Equal(t, 180, r.Steps)
		require.Equal(t, 30*48*features, r.Tokens)
		require.Len(t, r.Evals, 3)
		after := r.Evals[2]
		require.Less(t, after.Loss, before.Loss/2, name)
		require.Greater(t, after.Accuracy, 0.9, name)
		require.Positive(t, r.TokensPerSecond())
		require.False(t, r.Interrupted)
	}
}

// TestRunIsTheLoopByHand compares with what a program without the package would write.
func TestRunIsTheLoopByHand(t *testing.T) {
	d := tensor.Reference()
	m := newTiny(10)
	j, hand := m.job(t, d), m.job(t, d).Patch
	c := train.Config{Steps: 7, Batch: 4, InOrder: true, LR: 0.05, WeightDecay: 0.1, Schedule: "cosine", Warmup: 2, Clip: 0.3, Seed: 9}
	r, err := train.Run(t.Context(), j, c)
	require.NoError(t, err)

	var params []optim.Param
	for x := range hand.Params() {
		params = append(params, optim.Param{Name: x.Name, Value: x.Tensor()})
	}
	opt, err := optim.New(optim.Group{Rule: optim.AdamW{LR: c.LR, Decay: c.WeightDecay}, Params: params})
	require.NoError(t, err)
	opt.MaxNorm = c.Clip
	schedule := optim.Cosine(2, 7, 0.5)
	var last float64
	for step := range 7 {
		p := peft.With(d, hand)
		p.Train, p.Seed = true, peft.Seed(9, step, 0)
		l, err := m.loss(p, []int{4 * step % 10, (4*step + 1) % 10, (4*step + 2) % 10, (4*step + 3) % 10})
		require.NoError(t, err)
		last = l.Value.Item()
		_, err = opt.Step(tensor.Backward(l.Value), schedule(step))
		require.NoError(t, err)
		p.Close()
	}
	require.Equal(t, last, r.Loss)
	require.Equal(t, values(hand), values(j.Patch))
}

func TestLogOfARun(t *testing.T) {
	var log bytes.Buffer
	j := newTiny(8).job(t, tensor.Reference())
	r, err := train.Run(t.Context(), j, train.Config{Steps: 4, Batch: 4, LR: 0.5, Warmup: 2, EvalEvery: 2, Log: &log})
	require.NoError(t, err)
	var rates, losses []float64
	var keys []string
	for line := range strings.Lines(log.String()) {
		var l map[string]float64
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		if _, step := l["loss"]; !step {
			require.Len(t, l, 3)
			keys = append(keys, "eval")
			continue
		}
		require.Len(t, l, 5)
		keys = append(keys, "step")
		rates, losses = append(rates, l["lr"]), append(losses, l["loss"])
	}
	require.Equal(t, "step step eval step step eval", strings.Join(keys, " "))
	require.Equal(t, []float64{0, 0.25, 0.5, 0.25}, rates)
	require.Equal(t, r.Loss, losses[3])
}

// TestAccumulationIsOneBigBatch has micro-batches of unequal numbers of targets.
func TestAccumulationIsOneBigBatch(t *testing.T) {
	var want map[string][]float64
	for _, c := range []train.Config{{Batch: 12}, {Batch: 4, Accumulate: 3}, {Batch: 5, Accumulate: 3}, {Batch: 1, Accumulate: 12}} {
		for _, clip := range []float64{0, 0.01} {
			j := newTiny(12).job(t, tensor.Reference())
			c.Steps, c.LR, c.Clip, c.NoDropout, c.WeightDecay = 5, 0.01, clip, true, 0.1
			_, err := train.Run(t.Context(), j, c)
			require.NoError(t, err)
			if clip > 0 {
				continue
			}
			if want == nil {
				want = values(j.Patch)
			}
			for name, v := range values(j.Patch) {
				require.InDeltaSlice(t, want[name], v, 1e-12, name)
			}
		}
	}
}

// TestRulesByParameter trains the head by another rule.
func TestRulesByParameter(t *testing.T) {
	j := newTiny(8).job(t, tensor.Reference())
	before := values(j.Patch)
	var log strings.Builder
	_, err := train.Run(t.Context(), j, train.Config{Steps: 1, Schedule: "constant", Log: &log, Rule: func(x *peft.Param) optim.Rule {
		if strings.HasPrefix(x.Name, "classes") {
			return optim.SGD{LR: 0}
		}
		return optim.AdamW{LR: 0.25}
	}})
	require.NoError(t, err)
	require.Contains(t, log.String(), `"lr":0.25`)
	after := values(j.Patch)
	require.Equal(t, before["classes.weight"], after["classes.weight"])
	require.NotEqual(t, before["hidden.weight"], after["hidden.weight"])
}

func TestCancellationEndsWithAWholeStep(t *testing.T) {
	m := newTiny(8)
	want := m.job(t, tensor.Reference())
	c := train.Config{Steps: 3, Batch: 2, LR: 0.1, Schedule: "constant"}
	_, err := train.Run(t.Context(), want, c)
	require.NoError(t, err)

	j := m.job(t, tensor.Reference())
	ctx, cancel := context.WithCancelCause(t.Context())
	j.Loss = after(3, m.loss, func() { cancel(errors.New("that is enough")) })
	c.Steps = 10
	r, err := train.Run(ctx, j, c)
	require.EqualError(t, err, "train: interrupted after step 3 of 10: that is enough")
	require.True(t, r.Interrupted)
	require.Equal(t, 3, r.Steps)
	require.Equal(t, values(want.Patch), values(j.Patch))
}

// after is a loss that calls f in its n-th call.
func after(n int, loss func(*peft.Pass, []int) (train.Loss, error), f func()) func(*peft.Pass, []int) (train.Loss, error) {
	calls := 0
	return func(p *peft.Pass, rows []int) (train.Loss, error) {
		if calls++; calls == n {
			f()
		}
		return loss(p, rows)
	}
}

func TestLossThatIsNotFinite(t *testing.T) {
	for name, factor := range map[string]float64{"loss": math.NaN(), "gradient's norm": 1e300} {
		m := newTiny(8)
		j := m.job(t, tensor.Reference())
		var before map[string][]float64
		spoil := 0.0
		ok := after(3, m.loss, func() { spoil, before = factor, values(j.Patch) })
		j.Loss = func(p *peft.Pass, rows []int) (train.Loss, error) {
			l, err := ok(p, rows)
			if spoil != 0 {
				l.Value = tensor.Scale(l.Value, spoil)
			}
			return l, err
		}
		r, err := train.Run(t.Context(), j, train.Config{Steps: 5, Batch: 2, LR: 0.1})
		var bad *train.NotFiniteError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, 3, bad.Step)
		require.Equal(t, name, bad.What)
		require.ErrorContains(t, err, "train: step 3: the "+name+" is ")
		require.Equal(t, 2, r.Steps)
		require.Equal(t, before, values(j.Patch))
	}
}

func TestErrorsOfAJob(t *testing.T) {
	m := newTiny(8)
	good := m.job(t, tensor.Reference())
	for want, spoil := range map[string]func(*train.Job){
		"train: step 1: no picture": func(j *train.Job) {
			j.Loss = func(*peft.Pass, []int) (train.Loss, error) { return train.Loss{}, errors.New("no picture") }
		},
		"train: step 1: its examples have no targets": func(j *train.Job) {
			j.Loss = func(*peft.Pass, []int) (train.Loss, error) { return train.Loss{}, nil }
		},
		"train: step 1: no gradient reached any parameter": func(j *train.Job) {
			j.Loss = func(p *peft.Pass, rows []int) (train.Loss, error) {
				return m.loss(peft.With(p.Device()), rows)
			}
		},
		"train: tensor: MatMul": func(j *train.Job) {
			j.Loss = func(p *peft.Pass, rows []int) (train.Loss, error) {
				x := p.Scope().Tensor(nil, 2, 3)
				return train.Loss{Value: tensor.MatMul(x, x)}, nil
			}
		},
		"train: evaluation after step 2: no picture": func(j *train.Job) {
			j.Eval = func(context.Context) (train.Score, error) { return train.Score{}, errors.New("no picture") }
		},
	} {
		j := good
		spoil(&j)
		r, err := train.Run(t.Context(), j, train.Config{Steps: 2, LR: 0.1})
		require.ErrorContains(t, err, want)
		require.False(t, r.Interrupted)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	j := newTiny(8).job(t, tensor.Reference())
	j.Eval = nil
	for want, c := range map[string]train.Config{
		"train: neither Steps nor Epochs is given":                          {LR: 1},
		"train: Batch is -1, want no negative number":                       {Steps: 1, Batch: -1},
		"train: Warmup is NaN, want a number of 0 or more":                  {Steps: 1, Warmup: math.NaN()},
		"train: optim: AdamW.LR is -1, want a number of 0 or more":          {Steps: 1, LR: -1},
		`train: optim: no schedule is called "round"; there are constant, `: {Steps: 1, Schedule: "round"},
		"train: GroupByLength needs the Length of the job's examples":       {Steps: 1, GroupByLength: true},
		"train: EvalEvery, Patience and KeepBest need the job's Eval":       {Steps: 1, KeepBest: true},
		"train: CheckpointEvery and Resume need the Checkpoint's file":      {Steps: 1, Resume: true},
	} {
		_, err := train.Run(t.Context(), j, c)
		require.ErrorContains(t, err, want)
		if early := c.Check(); early != nil { // told without a job too
			require.ErrorContains(t, early, want)
		}
	}
	for _, c := range []train.Config{{Batch: -1}, {Warmup: math.NaN()}, {LR: math.Inf(1)}, {WeightDecay: -1}, {Schedule: "round"}, {Clip: math.NaN()}} {
		require.Error(t, c.Check())
	}
	require.NoError(t, train.Config{}.Check())
	_, err := train.Run(t.Context(), train.Job{}, train.Config{Steps: 1})
	require.EqualError(t, err, "train: a job needs a Patch, a Loss and at least one example")
}
