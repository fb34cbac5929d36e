package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
)

// finetune runs the program and returns what it wrote to standard output and to people.
func runProgram(t *testing.T, args ...string) (out, people string, err error) {
	var o, p bytes.Buffer
	err = run(context.Background(), cli.Env{Out: &o, Err: &p}, args)
	return o.String(), p.String(), err
}

// losses are those in a log.
func losses(t *testing.T, path string) (all []float64) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		var step struct{ Loss *float64 }
		require.NoError(t, json.Unmarshal([]byte(line), &step))
		if step.Loss != nil {
			all = append(all, *step.Loss)
		}
	}
	return all
}

// family are the methods of LoRA's family, as cases name them.
var family = []string{"LORA", "IA3", "LOHA", "LOKR", "VERA", "ADALORA", "OFT", "BOFT", "HRA", "FOURIERFT", "RANDLORA", "MISS", "ROAD", "C3A", "VBLORA", "DELORA", "HIRA", "GRALORA", "TRAINABLE_TOKENS", "LN_TUNING", "BEFT", "SHIRA"}

// cases are the golden ones whose model and method there are.
func cases(t *testing.T) []golden.Case {
	all := golden.Cases(t, "own", "full-bert", "full-gpt2", "full-llama", "head-bert", "head-roberta")
	for _, c := range golden.Cases(t, "hf", families...) {
		if c.Kind == "full" || c.Kind == "adapter" && slices.Contains(family, c.Method) && excluded[c.Name] == "" && optimizers[c.Name] == nil {
			all = append(all, c)
		}
	}
	return all
}

func TestTrajectories(t *testing.T) {
	for _, c := range cases(t) {
		start := []string{"-init", c.Path("adapter")}
		if c.Kind != "adapter" { // full, or head
			start = []string{"-method", c.Kind}
		}
		t.Run(c.Name, func(t *testing.T) { tryTrajectory(t, c, start...) })
	}
}

// tryTrajectory trains as a case's trusted program did.
func tryTrajectory(t *testing.T, c golden.Case, start ...string) {
	dir := t.TempDir()
	_, _, err := runProgram(t, append(start, "-model", c.ModelDir(), "-data", c.Path("data.safetensors"), "-batch", fmt.Sprint(c.Batch), "-steps", "10",
		"-shuffle=false", "-dropout", "none", "-schedule", "constant", "-clip", "0", "-lr", fmt.Sprint(c.Optimizer.LR), "-weight-decay", fmt.Sprint(c.Optimizer.WeightDecay),
		"-f64", "-log", dir+"/log", "-save-f64", dir+"/after.safetensors", "-out", dir+"/out")...)
	require.NoError(t, err)
	want, _ := c.Losses(t)
	got := losses(t, dir+"/log")
	require.Len(t, got, len(want))
	for i := range want {
		require.InEpsilon(t, want[i], got[i], 1e-8, "step %d", i+1)
	}
	if c.Kind == "full" && c.Method == "" { // Hugging Face's cases of all parameters hold losses only
		return
	}
	compareAfter(t, c, dir)
}

// compareLosses compares the losses in a log.
func compareLosses(t *testing.T, c golden.Case, log string) {
	want, _ := c.Losses(t)
	got := losses(t, log)
	require.Len(t, got, len(want))
	for i := range want {
		require.InEpsilon(t, want[i], got[i], 1e-8, "step %d", i+1)
	}
}

// compareAfter compares the trained tensors after the last step, but for those that only rounding moves.
func compareAfter(t *testing.T, c golden.Case, dir string) {
	want, got := golden.Open(t, c.Path("after.safetensors")), golden.Open(t, filepath.Join(dir, "after.safetensors"))
	for _, name := range got.Names() {
		if strings.HasSuffix(name, "self.key.bias") {
			continue
		}
		x, _ := got.Tensor(name)
		values, err := x.Float64s()
		require.NoError(t, err)
		golden.Close(t, want, name, values, 1e-8)
	}
}
