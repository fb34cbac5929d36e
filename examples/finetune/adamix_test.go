package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/hybrid"
	"peft/internal/golden"
	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// A mix is a case of AdaMix: which experts the passes of each step draw, by layer, down and up.
type mix struct {
	golden.Case
	Bottleneck  int          `json:"bottleneck"`
	Experts     int          `json:"experts"`
	Shared      string       `json:"shared"`
	Consistency float64      `json:"consistency_weight"`
	Routes      [][2][][]int `json:"routes"`
}

// TestAdaMix trains experts as the authors' code does, with the draws that a case tells.
func TestAdaMix(t *testing.T) {
	for _, c := range golden.Cases(t, "own", "adamix-*") {
		t.Run(c.Name, func(t *testing.T) {
			m := mix{Case: c}
			c.Read(t, "case.json", &m)
			j, dir := m.job(t), t.TempDir()
			m.start(t, j.patch)
			m.values(t, j)
			m.train(t, j, dir)
			compareLosses(t, c, filepath.Join(dir, "log"))
			after := golden.Open(t, c.Path("after.safetensors"))
			for x := range j.patch.Params() {
				for i, e := range x.Pool {
					golden.Close(t, after, expertKey(x, i), e.Float64s(), 1e-8)
				}
			}
		})
	}
}

// job is the program's job for a case.
func (m mix) job(t *testing.T) *job {
	of := fmt.Sprintf(`{"method":"adapter","original_ln_before":false,"non_linearity":"gelu","reduction_factor":%v}`, m.factor(t))
	method := fmt.Sprintf(`{"method":"adamix","experts":%d,"share":%q,"consistency":%v,"of":%s}`, m.Experts, m.Shared, m.Consistency, of)
	e := cli.Env{Out: io.Discard, Err: io.Discard}
	o, err := parse(e, []string{"-model", m.ModelDir(), "-data", m.Path("data.safetensors"), "-method", method, "-f64", "-out", t.TempDir()})
	require.NoError(t, err)
	j, err := newJob(t.Context(), e, o)
	require.NoError(t, err)
	t.Cleanup(func() { j.model.Close() })
	require.Equal(t, m.Trainable, j.patch.Trainable())
	return j
}

// factor is what makes bottlenecks as wide as the case's.
func (m mix) factor(t *testing.T) float64 {
	for x := range golden.Open(t, m.Path("start.safetensors")).All() {
		if strings.HasSuffix(x.Name, "MoA_A.deepspeed_experts.0.weight") {
			return float64(x.Shape[1]) / (float64(m.Bottleneck) + 0.5)
		}
	}
	return 0
}

// start gives the experts the case's first values.
func (m mix) start(t *testing.T, q *peft.Patch) {
	start := golden.Open(t, m.Path("start.safetensors"))
	for x := range q.Params() {
		for i, e := range x.Pool {
			if w, ok := start.Tensor(expertKey(x, i)); ok {
				values, err := w.Float64s()
				require.NoError(t, err)
				e.Assign(values)
			}
		}
	}
}

// expertKey is the name of an expert's tensor in the authors' code.
func expertKey(x *peft.Param, expert int) string {
	site, field, own := strings.Cut(x.Name, "/")
	if !own {
		return x.Name
	}
	pool := map[bool]string{true: "MoA_A", false: "MoA_B"}[strings.HasPrefix(field, "adapter_down")]
	return fmt.Sprintf("%s.ExpertSoup.%s.deepspeed_experts.%d.%s", site, pool, expert, field[strings.LastIndexByte(field, '.')+1:])
}

// values compares logits, losses and gradients at the start.
func (m mix) values(t *testing.T, j *job) {
	want := golden.Open(t, m.Path("expect.safetensors"))
	batch, err := readTensors(m.Path("batch.safetensors"))
	require.NoError(t, err)
	data := j.data
	j.data = batch
	defer func() { j.data = data }()
	mean := peft.With(j.dev, j.patch).NoGrad()
	defer mean.Close()
	m.compareLogits(t, "merged_logits", j, mean)

	p := peft.With(j.dev, j.patch)
	defer p.Close()
	p.Draws, p.Seed = true, m.seed(t, j, 0)
	m.compareLogits(t, "logits", j, p)
	loss := m.loss(t, j, p)
	golden.Close(t, want, "loss", loss.Float64s(), 1e-9)
	grads := tensor.Backward(loss)
	defer grads.Release()
	for x := range j.patch.Params() {
		for i, e := range x.Pool {
			got := make([]float64, e.Len())
			if g := grads.Of(e); g != nil {
				got = g.Float64s()
			}
			golden.Close(t, want, "grad."+expertKey(x, i), got, 1e-9)
		}
	}
}

// loss is that of all rows: of both passes, or of one.
func (m mix) loss(t *testing.T, j *job, p *peft.Pass) *tensor.Tensor {
	loss, err := j.patch.Method().(hybrid.AdaMix).Objective(p, func(p *peft.Pass) (*tensor.Tensor, []int32, error) {
		s, err := j.scores(p, m.rows(j))
		return s.Logits, s.Labels, err
	})
	require.NoError(t, err)
	if loss == nil {
		l, err := j.loss(p, m.rows(j))
		require.NoError(t, err)
		return l.Value
	}
	return loss
}

func (m mix) rows(j *job) (all []int) {
	for i := range j.data.Len() {
		all = append(all, i)
	}
	return all
}

func (m mix) compareLogits(t *testing.T, name string, j *job, p *peft.Pass) {
	b, err := j.data.Batch(j.model.Unwrap(), m.rows(j)...)
	require.NoError(t, err)
	_, got := b.Unpack(j.model.Forward(p, b))
	file := golden.Masked(t, golden.Open(t, m.Path("expect.safetensors")), name, m.Path("batch.safetensors"))
	golden.Close(t, file, name, got, 1e-9)
}

// layer is the number of a block in a site's name.
var layer = regexp.MustCompile(`\.(\d+)\.`)

// seed is that of a pass which draws, as the one after it does too, what the case tells for a step.
func (m mix) seed(t *testing.T, j *job, step int) uint64 {
	route := m.Routes[step]
	draws := func(p *peft.Pass, pass [][]int) bool {
		for x := range j.patch.Params() {
			if len(x.Pool) == 1 || strings.HasSuffix(x.Name, ".bias") {
				continue
			}
			var block, up int
			_, err := fmt.Sscan(layer.FindStringSubmatch(x.Name)[1], &block)
			require.NoError(t, err)
			if strings.Contains(x.Name, "adapter_up") {
				up = 1
			}
			if x.Draw(p) != pass[block][up] {
				return false
			}
		}
		return true
	}
	p := peft.With(j.dev, j.patch)
	defer p.Close()
	for p.Seed = 0; p.Seed < 1<<22; p.Seed++ {
		if draws(p, route[0]) && (m.Consistency == 0 || draws(p.Again(), route[1])) {
			return p.Seed
		}
	}
	require.Fail(t, "no seed draws what the case tells")
	return 0
}

// train trains with the case's draws.
func (m mix) train(t *testing.T, j *job, dir string) {
	log, err := train.OpenLog(filepath.Join(dir, "log"))
	require.NoError(t, err)
	defer log.Close()
	w, passes := j.job(), 0
	w.Scores = func(p *peft.Pass, rows []int) (train.Scores, error) {
		if passes%2 == 0 {
			p.Seed = m.seed(t, j, passes/2)
		}
		passes++
		return j.scores(p, rows)
	}
	w.Loss = func(p *peft.Pass, rows []int) (train.Loss, error) {
		p.Seed = m.seed(t, j, passes)
		passes++
		return j.loss(p, rows)
	}
	_, err = train.Run(context.Background(), w, train.Config{
		Steps: 10, Batch: m.Batch, LR: m.Optimizer.LR, WeightDecay: m.Optimizer.WeightDecay, Schedule: "constant", InOrder: true, NoDropout: true, Log: log,
	})
	require.NoError(t, err)
}
