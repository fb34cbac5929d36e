package main

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

func TestLine(t *testing.T) {
	var out bytes.Buffer
	args := []string{"-batch", "2", "-seq", "16", "-steps", "1", "-warmup", "0", "-fill", "0.5"}
	require.NoError(t, run(context.Background(), cli.Env{Out: &out, Err: &bytes.Buffer{}}, args))
	var l line
	require.NoError(t, json.Unmarshal(out.Bytes(), &l))
	require.Equal(t, 74498, l.Trainable) // as Hugging Face PEFT counts
	require.Equal(t, 22713986, l.Params)
	require.Positive(t, l.StepMS)
	require.InDelta(t, 0.7, l.Loss, 0.2)
}

// TestMethods wants every method of the contract to be timed, with as many trained numbers as its definition has.
func TestMethods(t *testing.T) {
	const head, layers, width = 384*2 + 2, 6, 384
	for method, want := range map[string]int{
		"lora": 2*layers*2*8*width + head, "adapter": layers*(2*8*width+8+width) + head, "prefix": 8*2*layers*width + head, "prompt": 8*width + head,
		"bitfit": 26112 + head, "ia3": layers*(3*width+1536) + head, "head": head, "full": 22713986, "fish": 113569,
	} {
		var out bytes.Buffer
		args := []string{"-method", method, "-batch", "1", "-seq", "4", "-steps", "1", "-warmup", "0"}
		require.NoError(t, run(context.Background(), cli.Env{Out: &out, Err: &bytes.Buffer{}}, args), method)
		var l line
		require.NoError(t, json.Unmarshal(out.Bytes(), &l))
		require.Equal(t, want, l.Trainable, method)
	}
}

// A profile is told to people; the line is the same.
func TestProfile(t *testing.T) {
	var out, told bytes.Buffer
	args := []string{"-batch", "2", "-seq", "16", "-steps", "1", "-warmup", "1", "-profile"}
	require.NoError(t, run(context.Background(), cli.Env{Out: &out, Err: &told}, args))
	var l line
	require.NoError(t, json.Unmarshal(out.Bytes(), &l))
	for _, part := range []string{"GFLOP/s", "MulT\n", "AttentionGrad\n", "all operations\n"} {
		require.Contains(t, told.String(), part)
	}
}

func TestRefusals(t *testing.T) {
	for says, args := range map[string][]string{
		"minilm-l6": {"-shape", "enormous"}, `"magic"`: {"-method", "magic"}, "-fill is 2": {"-fill", "2"}, "-batch is 0": {"-batch", "0"}, "fp7": {"-dtype", "fp7"},
		"-warmup is -1": {"-warmup", "-1"}, "nf4 is not there yet": {"-dtype", "nf4"}, `"t5-small"`: {"-shape", "t5-small"}, "-threads is 100000": {"-threads", "100000"},
	} {
		require.ErrorContains(t, run(context.Background(), cli.Env{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, args), says)
	}
}

// small is a step of minilm-l6 by LoRA on few tokens.
func small(t testing.TB) *runner {
	o := options{shape: "minilm-l6", method: "lora", targets: "query,value", rank: 8, batch: 4, seq: 64, threads: 2, fill: 1}
	m, err := models.New([]byte(shapes[o.shape].config), models.Options{Seed: 1})
	require.NoError(t, err)
	method, err := o.decode(384)
	require.NoError(t, err)
	d := tensor.CPU(o.threads)
	q, err := peft.Attach(d, m.Unwrap(), method, 1)
	require.NoError(t, err)
	r, err := newRunner(d, m, q, o)
	require.NoError(t, err)
	return r
}

// TestGarbage wants a step in steady state to leave less than 1 % of its activations to the garbage collector.
func TestGarbage(t *testing.T) {
	r := small(t)
	const steps = 5
	var before, after runtime.MemStats
	for i := range 2 * steps {
		if i == steps {
			runtime.ReadMemStats(&before)
		}
		require.NoError(t, r.step(i))
	}
	runtime.ReadMemStats(&after)
	garbage := (after.TotalAlloc - before.TotalAlloc) / steps
	live, peak := r.dev.Memory()
	activations := peak - live
	t.Logf("%d bytes of garbage a step, %d of activations", garbage, activations)
	require.Less(t, garbage, uint64(activations)/100)
}
