package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
)

// general are fields that all configurations of Hugging Face PEFT have and its readers fill in, or that belong to other things than the method.
var general = []string{"auto_mapping", "peft_version", "revision", "base_model_name_or_path", "loftq_config", "megatron_config", "megatron_core", "qalora_group_size"}

// otherwise are fields that we write in another way: AdaLoRA does not read r, and one name is a list of one.
var otherwise = map[string]bool{"bert-cls.adalora/r": true, "llama-lm.adalora/r": true, "bert-cls.lora-layers/layers_pattern": true}

// TestFolders reads adapter folders that Hugging Face PEFT wrote and saves them again: the same tensors, and every field of the configuration that says something.
func TestFolders(t *testing.T) {
	for _, c := range cases(t) {
		if c.Kind != "adapter" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			_, _, err := runProgram(t, "-init", c.Path("adapter"), "-model", c.ModelDir(), "-data", c.Path("data.safetensors"), "-steps", "1", "-out", out)
			require.NoError(t, err)
			require.Equal(t, shapes(t, c.Path("adapter", peft.WeightsFile)), shapes(t, filepath.Join(out, peft.WeightsFile)))
			want, got := fields(t, c.Path("adapter")), fields(t, out)
			for name, v := range want {
				if !slices.Contains([]string{"null", "false", "0", "{}", "[]"}, mustText(v)) && !slices.Contains(general, name) && !otherwise[c.Name+"/"+name] {
					require.Equal(t, v, got[name], name)
				}
			}
		})
	}
}

// fields are those of a configuration. Lists of names are sorted, as their order means nothing.
func fields(t *testing.T, dir string) (all map[string]any) {
	text, err := os.ReadFile(filepath.Join(dir, peft.ConfigFile))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &all))
	for _, v := range all {
		if list, ok := v.([]any); ok {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(mustText(a), mustText(b)) })
		}
	}
	return all
}

func mustText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
