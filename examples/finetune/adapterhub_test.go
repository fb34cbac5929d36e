package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/peft"
)

// hubMethods are the methods of AdapterHub's library that there are.
var hubMethods = []string{peft.HubFormat(""), peft.HubFormat("reft"), peft.HubFormat("prefix_tuning"), peft.HubFormat("prompt_tuning"), peft.HubFormat("lora"), peft.HubFormat("union")}

// hubCases are the golden ones of AdapterHub's library with one adapter.
func hubCases(t *testing.T) (all []golden.Case) {
	for _, c := range golden.Cases(t, "adapterhub", families[:5]...) {
		text, err := peft.ReadConfig(c.Path("adapter"))
		if err != nil || c.Kind != "adapter" {
			continue
		}
		name, err := peft.MethodName(text)
		require.NoError(t, err)
		if slices.Contains(hubMethods, name) {
			all = append(all, c)
		}
	}
	require.Greater(t, len(all), 40)
	return all
}

// averages are the cases of two adapters of which the first is trained.
func averages(t *testing.T) []golden.Case {
	return golden.Cases(t, "adapterhub", "bert-average_adapter*")
}

// TestAdapterHub trains as AdapterHub's library did. That an adapter is DiReFT, its folder does not tell.
func TestAdapterHub(t *testing.T) {
	for _, c := range hubCases(t) {
		init := c.Path("adapter")
		if c.Name == "bert-direft" {
			init = sayDirect(t, init)
		}
		t.Run(c.Name, func(t *testing.T) { tryTrajectory(t, c, "-init", init) })
	}
	for _, c := range averages(t) {
		t.Run(c.Name, func(t *testing.T) { tryTrajectory(t, c, "-init", c.Path("adapter", "a")) })
	}
}

// sayDirect is a folder of DiReFT that says so.
func sayDirect(t *testing.T, dir string) string {
	said := filepath.Join(t.TempDir(), "said")
	require.NoError(t, os.CopyFS(said, os.DirFS(dir)))
	var all map[string]any
	text, err := peft.ReadConfig(said)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &all))
	all["config"].(map[string]any)["subtract_projection"] = false
	require.NoError(t, peft.WriteJSON(filepath.Join(said, peft.ConfigFile), all))
	return said
}

// compositions are the cases of several adapters that are trained.
func compositions(t *testing.T) (all []golden.Case) {
	for _, c := range golden.Cases(t, "adapterhub", families[:5]...) {
		if peft.IsComposition(c.Path("adapter")) && c.Kind == "adapter" {
			all = append(all, c)
		}
	}
	require.Greater(t, len(all), 10)
	return all
}

// TestCompositions trains several adapters at once, or the fusion of several, and saves what was there.
func TestCompositions(t *testing.T) {
	for _, c := range compositions(t) {
		t.Run(c.Name, func(t *testing.T) {
			tryTrajectory(t, c, "-init", c.Path("adapter"))
			out := filepath.Join(t.TempDir(), "out")
			line, _, err := runProgram(t, "-init", c.Path("adapter"), "-model", c.ModelDir(), "-data", c.Path("data.safetensors"), "-batch", fmt.Sprint(c.Batch), "-steps", "1", "-out", out, "-json")
			require.NoError(t, err)
			require.Contains(t, line, fmt.Sprintf(`"trainable":%d,"total":%d,`, c.Trainable, c.Total))
			compareFolder(t, c.Path("adapter"), out)
		})
	}
}

// TestParallel wants adapters that are parallel not to be trained at once.
func TestParallel(t *testing.T) {
	c := golden.Cases(t, "adapterhub", "bert-parallel")[0]
	_, _, err := runProgram(t, "-init", c.Path("adapter"), "-model", c.ModelDir(), "-data", golden.Cases(t, "adapterhub", "bert-stack")[0].Path("data.safetensors"), "-out", t.TempDir()+"/out")
	require.ErrorContains(t, err, "parallel are for predictions")
}

// TestAdapterHubFolder saves what the library would: the same files, keys, shapes and fields.
func TestAdapterHubFolder(t *testing.T) {
	for _, c := range golden.Cases(t, "adapterhub", "bert-compacter", "bert-seq_bn_inv", "roberta-seq_bn", "bert-bn-own_norms", "gpt2-seq_bn", "bert-loreft", "llama-noreft",
		"bert-prefix_tuning", "bert-prompt_tuning", "bert-lora", "bert-lora-gated", "gpt2-ia3", "bert-flex_head", "bert-mam", "gpt2-unipelt") {
		out := filepath.Join(t.TempDir(), "out")
		_, _, err := runProgram(t, "-init", c.Path("adapter"), "-model", c.ModelDir(), "-data", c.Path("data.safetensors"), "-steps", "1", "-out", out)
		require.NoError(t, err)
		compareFolder(t, c.Path("adapter"), out)
	}
}

// compareFolder wants two adapter folders to have the same files, keys, shapes and fields.
func compareFolder(t *testing.T, want, got string) {
	require.Equal(t, names(t, want), names(t, got))
	for _, name := range names(t, want) {
		want, got := filepath.Join(want, name), filepath.Join(got, name)
		switch filepath.Ext(name) {
		case "":
			compareFolder(t, want, got)
		case ".json":
			compareFields(t, want, got)
		default:
			require.Equal(t, shapes(t, want), shapes(t, got))
		}
	}
}

func names(t *testing.T, dir string) (all []string) {
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		all = append(all, f.Name())
	}
	return all
}

func shapes(t *testing.T, path string) map[string][]int {
	all := map[string][]int{}
	for x := range golden.Open(t, path).All() {
		all[x.Name] = slices.Clone(x.Shape)
	}
	return all
}

// compareFields wants each field of one file in another, but for the model's name, which is its folder's.
func compareFields(t *testing.T, want, got string) {
	var w, g map[string]any
	for path, v := range map[string]*map[string]any{want: &w, got: &g} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, v))
	}
	for field, v := range w {
		if field != "model_name" {
			require.Equal(t, v, g[field], "%s of %s", field, got)
		}
	}
}

// TestGateOfLoRA trains LoRA with UniPELT's gates as the own reference does.
func TestGateOfLoRA(t *testing.T) {
	c, dir := golden.Cases(t, "own", "unipelt-lora_gate-bert")[0], t.TempDir()
	require.NoError(t, peft.WriteJSON(filepath.Join(dir, peft.ConfigFile), map[string]any{
		"config": map[string]any{"architecture": "lora", "r": 3, "use_gating": true}, "name": "tuned", "model_class": "BertForSequenceClassification", "version": "adapters.1.3.0",
	}))
	start, err := os.ReadFile(c.Path("start.safetensors"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, peft.HubWeightsFile), start, 0o666))
	tryTrajectory(t, c, "-init", dir)
}

// TestGatedLoRA trains LoRA whose gates stand in place of its scale, from a folder made of the case's first values.
func TestGatedLoRA(t *testing.T) {
	c, dir := golden.Cases(t, "own", "unipelt-lora_gate-bert")[0], t.TempDir()
	values, err := os.ReadFile(c.Path("start.safetensors"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, peft.HubWeightsFile), values, 0o600))
	config := map[string]any{"architecture": "lora", "r": 3, "use_gating": true}
	require.NoError(t, peft.WriteJSON(filepath.Join(dir, peft.ConfigFile), map[string]any{"config": config, "name": "tuned", "version": "adapters.1.3.0"}))
	tryTrajectory(t, c, "-init", dir)
}
