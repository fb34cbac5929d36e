package models_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// forward runs a case's batch through its model with some patches and returns the pass, the logits put back in place, and the loss, nil without labels.
func forward(t *testing.T, d *tensor.Device, m *models.Opened, c golden.Case, patches ...*peft.Patch) (*peft.Pass, []float64, *tensor.Tensor) {
	in, err := models.ReadInputs(golden.Open(t, c.Path("batch.safetensors")))
	require.NoError(t, err)
	var rows []int
	for i := range in.Len() {
		rows = append(rows, i)
	}
	b, err := in.Batch(m.Model, rows...)
	require.NoError(t, err)
	p := peft.With(d, patches...)
	t.Cleanup(p.Close)
	logits := m.Forward(p, b)
	_, values := b.Unpack(logits)
	if b.Labels == nil {
		return p, values, nil
	}
	loss, err := models.Loss(logits, b)
	require.NoError(t, err)
	return p, values, loss
}

func openCase(t *testing.T, c golden.Case) *models.Opened {
	m, err := models.Open(c.ModelDir(), models.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// result is the name under which the expected values of a case have the model's result.
func result(m *models.Opened) string {
	if m.Task() == models.NoTask {
		return "hidden"
	}
	return "logits"
}

// devices are the backends and what they may be off by beside the case's own tolerance.
var devices = map[string]struct {
	dev              *tensor.Device
	logits, gradient float64
}{
	"reference": {tensor.Reference(), 0, 0},
	"cpu":       {tensor.CPU(2), 2e-5, 1e-4},
}

func TestForward(t *testing.T) {
	for _, c := range golden.Cases(t, "hf", "bert*.forward", "roberta*.forward", "gpt2*.forward*", "llama*.forward*", "mistral*.forward*", "qwen*.forward*", "gemma3*.forward", "gpt-neox*.forward", "opt*.forward", "distilbert*.forward") {
		for name, d := range devices {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				m := openCase(t, c)
				_, logits, loss := forward(t, d.dev, m, c)
				want := golden.Open(t, c.Path("expect.safetensors"))
				golden.Close(t, golden.Masked(t, want, result(m), c.Path("batch.safetensors")), result(m), logits, c.Tolerance()+d.logits)
				if loss != nil {
					golden.Close(t, want, "loss", loss.Float64s(), c.Tolerance()+d.logits)
				}
			})
		}
	}
}

func TestFullGradients(t *testing.T) {
	cases := append(golden.Cases(t, "hf", "bert-cls.full", "gpt2-lm.full", "llama-lm.full"), golden.Cases(t, "own", "full-bert", "full-gpt2", "full-llama", "head-bert", "head-roberta")...)
	for _, c := range cases {
		for name, d := range devices {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				m := openCase(t, c)
				var method peft.Method = peft.Full{}
				if strings.HasPrefix(c.Name, "head") {
					method = peft.Heads{}
				}
				q, err := peft.Attach(d.dev, m.Model, method, 1)
				require.NoError(t, err)
				_, logits, loss := forward(t, d.dev, m, c, q)
				want := golden.Open(t, c.Path("expect.safetensors"))
				golden.Close(t, golden.Masked(t, want, "logits", c.Path("batch.safetensors")), "logits", logits, c.Tolerance()+d.logits)
				golden.Close(t, want, "loss", loss.Float64s(), c.Tolerance()+d.logits)
				gradients(t, c, want, q, loss, c.Tolerance()+d.gradient)
				require.Equal(t, c.Trainable, q.Trainable())
			})
		}
	}
}
