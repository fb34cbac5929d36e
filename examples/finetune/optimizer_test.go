package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/lora"
	"peft/peft"
	"peft/tensor/optim"
	"peft/train"
)

// optimizers are the cases of other rules than AdamW's, with these.
var optimizers = map[string]func(c golden.Case, q *peft.Patch) (func(*peft.Param) optim.Rule, error){
	"llama-lm.lora-plus": func(c golden.Case, _ *peft.Patch) (func(*peft.Param) optim.Rule, error) {
		return lora.Plus{LR: c.Optimizer.LR, Ratio: c.Optimizer.Ratio, Embedding: c.Optimizer.EmbeddingLR, Decay: c.Optimizer.WeightDecay}.Rule, nil
	},
	"llama-lm.lora-fa": func(c golden.Case, q *peft.Patch) (func(*peft.Param) optim.Rule, error) {
		return lora.FA{LR: c.Optimizer.LR, Decay: c.Optimizer.WeightDecay}.Rule(q)
	},
}

// TestOptimizers compares trajectories under these.
func TestOptimizers(t *testing.T) {
	for name, rule := range optimizers {
		t.Run(name, func(t *testing.T) {
			c, dir := golden.Cases(t, "hf", name)[0], t.TempDir()
			e := cli.Env{Out: io.Discard, Err: io.Discard}
			o, err := parse(e, []string{"-model", c.ModelDir(), "-data", c.Path("data.safetensors"), "-init", c.Path("adapter"), "-batch", fmt.Sprint(c.Batch), "-steps", "10",
				"-shuffle=false", "-schedule", "constant", "-f64", "-out", dir})
			require.NoError(t, err)
			j, err := newJob(t.Context(), e, o)
			require.NoError(t, err)
			o.train.Rule, err = rule(c, j.patch)
			require.NoError(t, err)
			log, err := train.OpenLog(filepath.Join(dir, "log"))
			require.NoError(t, err)
			o.train.Log = log
			_, err = train.Run(context.Background(), j.job(), o.train)
			require.NoError(t, err)
			require.NoError(t, log.Close())
			compareLosses(t, c, filepath.Join(dir, "log"))
			require.NoError(t, j.saveF64(filepath.Join(dir, "after.safetensors")))
			compareAfter(t, c, dir)
		})
	}
}
