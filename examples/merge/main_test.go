package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/models"
)

// unmerged are cases whose update of a tied embedding must not reach the head, or of a layer another place where it stands.
var unmerged = []string{
	"gpt2-lm.lora-wte", "llama-lm-tied.lora-embed", "gemma3-lm.lora-embed", "llama-lm.lora-replication",
}

// family are the methods of LoRA's family, as cases name them.
var family = []string{
	"LORA", "IA3", "LOHA", "LOKR", "VERA", "ADALORA", "OFT", "BOFT", "HRA", "FOURIERFT", "RANDLORA", "MISS",
	"ROAD", "C3A", "VBLORA", "DELORA", "HIRA", "GRALORA", "TRAINABLE_TOKENS", "LN_TUNING", "BEFT", "SHIRA",
}

func TestTied(t *testing.T) {
	c := golden.Cases(t, "hf", "gpt2-lm.lora-wte")[0]
	args := []string{"-model", c.ModelDir(), "-adapter", c.Path("adapter"), "-out", filepath.Join(t.TempDir(), "merged")}
	require.ErrorContains(t, run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, args), "transformer.wte: it shares its parameter with lm_head")
}

func TestGolden(t *testing.T) {
	for _, c := range golden.Cases(t, "hf", "bert-*", "roberta-*", "distilbert-*", "gpt2-*", "llama-*", "qwen*", "mistral-*", "gemma3-*", "gpt-neox-*", "opt-*") {
		if c.Kind != "adapter" || !slices.Contains(family, c.Method) || slices.Contains(unmerged, c.Name) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "merged")
			var people bytes.Buffer
			require.NoError(t, run(context.Background(), cli.Env{Err: &people}, []string{"-f64", "-model", c.ModelDir(), "-adapter", c.Path("adapter"), "-out", out}))
			m, err := models.Open(out, models.Options{})
			require.NoError(t, err)
			require.NoError(t, m.Close())
			require.Empty(t, m.Fresh)
			if _, err := os.Stat(c.Path("merged")); err == nil {
				same(t, c.Path("merged"), out)
			}
		})
	}
}

// same wants every tensor of one folder to be in the other, to the precision of F32.
func same(t *testing.T, want, got string) {
	f, g := golden.Open(t, want), golden.Open(t, got)
	for x := range f.All() {
		y, ok := g.Tensor(x.Name)
		require.True(t, ok, x.Name)
		require.Equal(t, x.Shape, y.Shape, x.Name)
		values, err := y.Float64s()
		require.NoError(t, err)
		golden.Close(t, f, x.Name, values, 1e-7)
	}
}

func TestRefusals(t *testing.T) {
	for name, args := range map[string][]string{
		"-model is missing": {"-adapter", "a", "-out", "b"}, "-adapter is missing": {"-model", "a", "-out", "b"},
		"config": {"-model", t.TempDir(), "-adapter", t.TempDir(), "-out", t.TempDir()},
	} {
		require.ErrorContains(t, run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, args), name)
	}
}

// TestNames wants the names that an adapter's classes have to go into the model's configuration.
func TestNames(t *testing.T) {
	c := golden.Cases(t, "hf", "bert-cls.lora-qv")[0]
	adapter, out := t.TempDir(), filepath.Join(t.TempDir(), "merged")
	require.NoError(t, os.CopyFS(adapter, os.DirFS(c.Path("adapter"))))
	path := filepath.Join(adapter, "adapter_config.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte("{"), []byte(`{"labels":["a","b","c"],`), 1), 0o666))
	require.NoError(t, run(context.Background(), cli.Env{Err: &bytes.Buffer{}}, []string{"-model", c.ModelDir(), "-adapter", adapter, "-out", out}))
	config, err := models.ReadConfig(out)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, config.Names())
}
