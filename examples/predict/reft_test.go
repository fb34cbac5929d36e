package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/peft"
)

func TestReFT(t *testing.T) {
	for _, c := range hubCases(t, "reft") {
		if c.Name == "bert-direft" {
			t.Run(c.Name, func(t *testing.T) { tryDirect(t, c) })
			continue
		}
		t.Run(c.Name, func(t *testing.T) { tryGolden(t, c) })
	}
}

// tryDirect reads a folder that the library wrote of DiReFT, which does not say so, as the library reads it, and as it would be read if it said so.
func tryDirect(t *testing.T, c golden.Case) {
	want := golden.Open(t, c.Path("expect.safetensors"))
	said := filepath.Join(t.TempDir(), "said")
	require.NoError(t, os.CopyFS(said, os.DirFS(c.Path("adapter"))))
	text, err := peft.ReadConfig(said)
	require.NoError(t, err)
	var config map[string]map[string]any
	_ = json.Unmarshal(text, &config) // all but the inner object is left out
	var whole map[string]any
	require.NoError(t, json.Unmarshal(text, &whole))
	config["config"]["subtract_projection"] = false
	whole["config"] = config["config"]
	require.NoError(t, peft.WriteJSON(filepath.Join(said, peft.ConfigFile), whole))
	for name, dir := range map[string]string{"reloaded_logits": c.Path("adapter"), "logits": said} {
		out := filepath.Join(t.TempDir(), "out.safetensors")
		args := []string{"-f64", "-grad", "-model", c.ModelDir(), "-in", c.Path("batch.safetensors"), "-out", out, "-adapter", dir}
		require.NoError(t, run(t.Context(), cli.Env{}, args))
		got := golden.Open(t, out)
		x, _ := got.Tensor("logits")
		values, err := x.Float64s()
		require.NoError(t, err)
		golden.Close(t, want, name, values, c.Tolerance())
		for x := range got.All() {
			if y, ok := want.Tensor(x.Name); ok && name == "logits" {
				values, err := x.Float64s()
				require.NoError(t, err)
				golden.Close(t, want, y.Name, values, c.Tolerance())
			}
		}
	}
}
