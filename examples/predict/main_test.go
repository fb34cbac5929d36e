package main

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
	"peft/peft"
	"peft/tensor/safetensors"
)

// family are the methods of LoRA's family, as cases name them.
var family = []string{"LORA", "IA3", "LOHA", "LOKR", "VERA", "ADALORA", "OFT", "BOFT", "HRA", "FOURIERFT", "RANDLORA", "MISS", "ROAD", "C3A", "VBLORA", "DELORA", "HIRA", "GRALORA", "TRAINABLE_TOKENS", "LN_TUNING", "BEFT", "SHIRA"}

// cases are the golden ones of models without an adapter, and of LoRA's family.
func cases(t *testing.T) (all []golden.Case) {
	for _, c := range append(golden.Cases(t, "hf", families...), golden.Cases(t, "adapterhub", "*-base")...) {
		known := slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(c.Name, strings.TrimSuffix(f, "*")) })
		if known && excluded[c.Name] == "" && (c.Kind == "forward" || slices.Contains(family, c.Method) && c.Kind != "fresh") {
			all = append(all, c)
		}
	}
	return all
}

// adapters are the adapter folders of a case, in order; a composition is one.
func adapters(t *testing.T, c golden.Case) []string {
	if peft.IsComposition(c.Path("adapter")) {
		return []string{c.Path("adapter")}
	}
	dirs, err := filepath.Glob(c.Path("adapter*", "*", "adapter_config.json"))
	require.NoError(t, err)
	single, err := filepath.Glob(c.Path("adapter", "adapter_config.json"))
	require.NoError(t, err)
	var out []string
	for _, d := range append(single, dirs...) {
		out = append(out, filepath.Dir(d))
	}
	slices.Sort(out)
	return out
}

// predict runs the program on a case's batch.
func predict(t *testing.T, c golden.Case, more ...string) *safetensors.File {
	out := filepath.Join(t.TempDir(), "out.safetensors")
	args := append([]string{"-model", c.ModelDir(), "-in", c.Path("batch.safetensors"), "-out", out}, more...)
	for _, a := range adapters(t, c) {
		args = append(args, "-adapter", a)
	}
	if c.Kind == "route" {
		args = append(args, "-route", c.Path("route.json"))
	}
	var complaints bytes.Buffer
	require.NoError(t, run(context.Background(), cli.Env{Err: &complaints}, args))
	require.Empty(t, complaints.String())
	return golden.Open(t, out)
}

func TestGolden(t *testing.T) {
	for _, c := range cases(t) {
		t.Run(c.Name, func(t *testing.T) { tryGolden(t, c) })
	}
}

// tryGolden runs the program on a case, in both precisions.
func tryGolden(t *testing.T, c golden.Case) {
	want := golden.Open(t, c.Path("expect.safetensors"))
	gradients := slices.ContainsFunc(want.Names(), func(n string) bool { return strings.HasPrefix(n, "grad.") })
	t.Run("float64", func(t *testing.T) {
		args := []string{"-f64"}
		if gradients {
			args = append(args, "-grad")
		}
		compare(t, c, want, predict(t, c, args...), c.Tolerance(), c.Tolerance())
	})
	t.Run("float32", func(t *testing.T) {
		args := []string{"-threads", "2"}
		if gradients {
			args = append(args, "-grad")
		}
		compare(t, c, want, predict(t, c, args...), 2e-5, 1e-4)
	})
}

// expected are the tensors of a case that one run of the program makes: of adapters that are active together, in the order of their folders.
func expected(c golden.Case, want *safetensors.File) []string {
	if c.Kind == "active" {
		return []string{"logits.one+two"}
	}
	return slices.DeleteFunc(want.Names(), func(name string) bool {
		// Tensors of the network that made a prompt are for training it; and where the gradient by a prompt should be, the files hold what the prompt is after training. Logits of merged weights and the like are not of this run.
		return strings.HasPrefix(name, "encoder.") || name == "grad.prompt_embeddings" || strings.HasSuffix(name, "_logits")
	})
}

// compare compares every tensor of a case with the program's.
func compare(t *testing.T, c golden.Case, want, got *safetensors.File, tolerance, gradients float64) {
	for _, name := range expected(c, want) {
		stem, _, _ := strings.Cut(name, ".one")
		x, ok := got.Tensor(stem)
		require.True(t, ok, name)
		values, err := x.Float64s()
		require.NoError(t, err)
		key, grad := strings.CutPrefix(name, "grad.")
		switch {
		case stem == "logits" || name == "hidden":
			golden.Close(t, golden.Masked(t, want, name, c.Path("batch.safetensors")), name, values, tolerance)
		case !grad:
			golden.Close(t, want, name, values, tolerance)
		case slices.Contains(c.ZeroGradients, key), strings.Contains(key, ".adapter_fusion_layer.") && strings.HasSuffix(key, ".key.bias"):
			require.InDeltaSlice(t, make([]float64, len(values)), values, gradients, name)
		default:
			golden.Close(t, want, name, values, gradients)
		}
	}
	for _, name := range got.Names() {
		if strings.HasPrefix(name, "grad.") {
			require.Contains(t, want.Names(), name)
		}
	}
}
