package sparsemask_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/sparsemask"
	"peft/tensor"
)

// devices are the backends and what they may be off by.
var devices = map[string]struct {
	dev   *tensor.Device
	error float64
}{"reference": {tensor.Reference(), 1e-9}, "cpu": {tensor.CPU(2), 1e-4}}

// examples runs a model on the examples of a file, one at a time.
func examples(t *testing.T, m models.Model, path string) sparsemask.Data {
	in, err := models.ReadInputs(golden.Open(t, path))
	require.NoError(t, err)
	return sparsemask.Data{
		Len: in.Len(),
		Loss: func(p *peft.Pass, i int) (*tensor.Tensor, error) {
			b, err := in.Batch(m, i)
			if err != nil {
				return nil, err
			}
			return models.BatchLoss(p, m, b)
		},
		Logits: func(p *peft.Pass, i int) (*tensor.Tensor, error) {
			b, err := in.Batch(m, i)
			if err != nil {
				return nil, err
			}
			return m.Forward(p, b), nil
		},
	}
}

func open(t *testing.T, c golden.Case) *models.Opened {
	m, err := models.Open(c.ModelDir(), models.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// estimate makes the scores of a case.
func estimate(t *testing.T, c golden.Case, d *tensor.Device, k sparsemask.Kind) (*peft.Sites, sparsemask.Scores) {
	m := open(t, c)
	s, err := peft.FindSites(d, m.Model)
	require.NoError(t, err)
	if k != sparsemask.Label && k != sparsemask.Expect {
		return s, nil
	}
	scores, err := sparsemask.Estimate(context.Background(), s, k, examples(t, m.Model, c.Path("..", "..", "fisher", c.Model+"-data.safetensors")))
	require.NoError(t, err)
	return s, scores
}

func TestScores(t *testing.T) {
	for name, c := range map[string]string{"bert-label": "fish-bert-label-2", "bert-expect": "fish-bert-expect-0.5", "gpt2-label": "fish-gpt2-label-2"} {
		for on, d := range devices {
			t.Run(name+"/"+on, func(t *testing.T) {
				_, kind, _ := strings.Cut(name, "-")
				c := golden.Cases(t, "own", c)[0]
				_, scores := estimate(t, c, d.dev, sparsemask.Kind(kind))
				want := golden.Open(t, c.Path("..", "..", "fisher", name+".safetensors"))
				require.Len(t, want.Names(), len(scores))
				for x := range want.All() {
					if strings.HasSuffix(x.Name, "self.key.bias") { // zero but for rounding
						require.InDeltaSlice(t, make([]float64, len(scores[x.Name])), scores[x.Name], 1e-9)
						continue
					}
					golden.Close(t, want, x.Name, scores[x.Name], 3*d.error)
				}
			})
		}
	}
}

// configs are how cases choose their masks.
var configs = map[string]sparsemask.Config{
	"fish-bert-label-0.5":          {Keep: 0.005},
	"fish-bert-label-0.5-head":     {Keep: 0.005, Head: true},
	"fish-bert-label-2":            {Keep: 0.02},
	"fish-bert-label-2-head-decay": {Keep: 0.02, Head: true},
	"fish-bert-expect-0.5":         {Keep: 0.005, Fisher: sparsemask.Expect},
	"fish-bert-expect-2-head":      {Keep: 0.02, Fisher: sparsemask.Expect, Head: true},
	"fish-bert-magnitude-2":        {Keep: 0.02, Fisher: sparsemask.Magnitude},
	"fish-gpt2-label-2":            {Keep: 0.02},
}

func TestMasks(t *testing.T) {
	for name, config := range configs {
		for on, d := range devices {
			t.Run(name+"/"+on, func(t *testing.T) {
				c := golden.Cases(t, "own", name)[0]
				kind := config.Fisher
				if kind == "" {
					kind = sparsemask.Label
				}
				s, scores := estimate(t, c, d.dev, kind)
				config.Scores = scores
				q, err := peft.AttachTo(s, config, 1)
				require.NoError(t, err)
				require.Equal(t, c.Trainable, q.Trainable())
				got := sparsemask.Mask{}
				for x := range q.Params() {
					if x.Places != nil {
						got[x.Name] = x.Places
					}
				}
				require.Equal(t, mask(t, c), got)
			})
		}
	}
}

// mask is the mask of a case.
func mask(t *testing.T, c golden.Case) sparsemask.Mask {
	m := sparsemask.Mask{}
	for x := range golden.Open(t, c.Path("mask.safetensors")).All() {
		places, err := peft.ReadPlaces(x)
		require.NoError(t, err)
		m[x.Name] = places
	}
	return m
}

func TestGradients(t *testing.T) {
	for _, c := range golden.Cases(t, "own", "fish-*") {
		for on, d := range devices {
			t.Run(c.Name+"/"+on, func(t *testing.T) {
				m := open(t, c)
				q, err := peft.Attach(d.dev, m.Model, sparsemask.Config{Mask: mask(t, c), Head: strings.Contains(c.Name, "-head")}, 1)
				require.NoError(t, err)
				gradients(t, c, m.Model, q, d.error)
			})
		}
	}
}

func gradients(t *testing.T, c golden.Case, m models.Model, q *peft.Patch, tolerance float64) {
	in, err := models.ReadInputs(golden.Open(t, c.Path("batch.safetensors")))
	require.NoError(t, err)
	b, err := in.Batch(m, 0, 1, 2)
	require.NoError(t, err)
	p := peft.With(q.Sites().Device(), q)
	defer p.Close()
	loss, err := models.BatchLoss(p, m, b)
	require.NoError(t, err)
	want := golden.Open(t, c.Path("expect.safetensors"))
	golden.Close(t, want, "loss", loss.Float64s(), tolerance)
	g := tensor.Backward(loss)
	defer g.Release()
	for x := range q.Params() {
		if strings.HasSuffix(x.Name, "self.key.bias") {
			continue
		}
		golden.Close(t, want, "grad."+x.Name, g.Of(x.Tensor()).Float64s(), tolerance)
	}
}
