package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/tensor/safetensors"
)

// refused runs the program and returns the one line that it tells people.
func refused(t *testing.T, args ...string) string {
	var people bytes.Buffer
	err := run(context.Background(), cli.Env{Out: &bytes.Buffer{}, Err: &people}, args)
	require.Equal(t, 1, cli.Status(err, &people), args)
	require.Equal(t, 1, strings.Count(people.String(), "\n"), people.String())
	return people.String()
}

func TestFlagsThatAreRefused(t *testing.T) {
	for says, args := range map[string][]string{
		"give -in and -out, or -text\n":               {"-in", "a"},
		"give -in and -out, or -text, not both":       {"-in", "a", "-out", "b", "-text", "c"},
		"-grad does nothing without -in":              {"-text", "a", "-grad"},
		"-route does nothing without -in":             {"-text", "a", "-route", "b"},
		"-threads is -2":                              {"-in", "a", "-out", "b", "-threads", "-2"},
		"-max-new-tokens: texts cannot be continued":  {"-text", "a", "-max-new-tokens", "5"},
		"-temperature: texts cannot be continued yet": {"-text", "a", "-temperature", "0"},
		"flag -adapter: it is empty":                  {"-text", "a", "-adapter", ""},
	} {
		require.Contains(t, refused(t, append([]string{"-model", "m"}, args...)...), says)
	}
}

// inputs writes a file of examples and returns its path.
func inputs(t *testing.T, tensors ...safetensors.Tensor) string {
	path := filepath.Join(t.TempDir(), "in.safetensors")
	require.NoError(t, safetensors.Write(path, tensors, nil))
	return path
}

func TestExamplesThatAreRefused(t *testing.T) {
	model := golden.Shared(t, "golden", "hf", "models", "bert-cls")
	ids := func(last int64) safetensors.Tensor {
		v := make([]int64, 40*3) // more than one batch
		v[len(v)-1] = last
		return safetensors.I64("input_ids", []int{40, 3}, v)
	}
	out := filepath.Join(t.TempDir(), "out.safetensors")
	for says, in := range map[string][]safetensors.Tensor{
		"example 39: token 2 is -1, must be 0 to 78": {ids(-1)},
		"example 39: token 2 is 79, must be 0 to 78": {ids(79)},
		"found no input_ids":                         {safetensors.I64("labels", []int{1}, []int64{0})},
		"labels is a table 2×1":                      {ids(1), safetensors.I64("labels", []int{2}, []int64{0, 1})},
		"found dtype F32":                            {safetensors.F32("input_ids", []int{1, 1}, []float32{1})},
	} {
		require.Contains(t, refused(t, "-model", model, "-in", inputs(t, in...), "-out", out), says)
		require.NoFileExists(t, out)
	}
	require.Contains(t, refused(t, "-model", model, "-in", inputs(t, ids(1)), "-out", out, "-grad"), "-grad needs labels")
	require.Contains(t, refused(t, "-model", model, "-text", "a"), "found neither tokenizer.json nor vocab.txt")
}

func TestRoutesThatAreRefused(t *testing.T) {
	model := golden.Shared(t, "golden", "hf", "models", "bert-cls")
	adapter := golden.Cases(t, "hf", "bert-cls.lora-qv")[0].Path("adapter")
	in := inputs(t, safetensors.I64("input_ids", []int{2, 2}, []int64{1, 2, 3, 4}))
	route := filepath.Join(t.TempDir(), "route.json")
	for text, says := range map[string]string{
		"[0]":       "found 1 numbers, expected one for each of 2 rows",
		"[0,1]":     "row 1 goes to adapter 1, expected -1, for none, to 0",
		"[-2,0]":    "row 0 goes to adapter -2",
		"{}":        "expected a JSON list of numbers: found an object, expected a list",
		"[0,0.5]":   "expected a JSON list of numbers",
		"[0,0] [0]": "expected a JSON list of numbers",
		"":          "expected a JSON list of numbers",
	} {
		require.NoError(t, os.WriteFile(route, []byte(text), 0o666))
		require.Contains(t, refused(t, "-model", model, "-adapter", adapter, "-in", in, "-out", in+".out", "-route", route), says)
	}
}

// TestNoHead wants a model without a head to write its hidden states, whether there are labels or not.
func TestNoHead(t *testing.T) {
	model := golden.Shared(t, "golden", "hf", "models", "bert-base")
	in := inputs(t, safetensors.I64("input_ids", []int{1, 2}, []int64{1, 2}), safetensors.I64("labels", []int{1}, []int64{0}))
	out := in + ".out"
	require.NoError(t, run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, []string{"-model", model, "-in", in, "-out", out}))
	require.Equal(t, []string{"hidden"}, golden.Open(t, out).Names())
	require.Contains(t, refused(t, "-model", model, "-in", in, "-out", out, "-grad"), "without a head")
}

// TestGradientsOfTwo wants it to be told that an adapter's gradients are not written, because those of another have their names.
func TestGradientsOfTwo(t *testing.T) {
	c := golden.Cases(t, "hf", "bert-cls.lora-qv")[0]
	out := filepath.Join(t.TempDir(), "out.safetensors")
	var people bytes.Buffer
	args := []string{"-model", c.ModelDir(), "-in", c.Path("batch.safetensors"), "-out", out, "-grad", "-adapter", c.Path("adapter"), "-adapter", c.Path("adapter")}
	require.NoError(t, run(context.Background(), cli.Env{Err: &people}, args))
	require.Contains(t, people.String(), "warning: adapter 1 has ")
}
