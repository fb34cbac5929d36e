package models_test

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	_ "peft/lora"
	"peft/models"
	"peft/peft"
	_ "peft/prefix"
	"peft/tensor"
)

// peftTypes are the peft_types of the classes of configurations that there are.
var peftTypes = map[string]string{
	"LoraConfig": "LORA", "AdaLoraConfig": "ADALORA", "IA3Config": "IA3", "LoHaConfig": "LOHA", "LoKrConfig": "LOKR", "VeraConfig": "VERA", "OFTConfig": "OFT", "HRAConfig": "HRA",
	"FourierFTConfig": "FOURIERFT", "PrefixTuningConfig": "PREFIX_TUNING", "PromptTuningConfig": "PROMPT_TUNING",
}

// tooMany parameters take long to draw.
const tooMany = 30_000_000

// TestCounts compares the numbers of parameters of published models, and of what methods train of them, with those that Hugging Face PEFT counts. No weight is made.
func TestCounts(t *testing.T) {
	text, err := os.ReadFile(golden.Shared(t, "golden", "hf", "counts.json"))
	require.NoError(t, err)
	var file struct {
		Shapes map[string]struct {
			Class, Task string
			Config      map[string]any
			Total       int
		}
		Counts []struct {
			Method, PEFT, Shape string
			Error               string
			Options             map[string]any
			Trainable, Total    int
		}
	}
	require.NoError(t, json.Unmarshal(text, &file))
	counted := 0
	for _, c := range file.Counts {
		s := file.Shapes[c.Shape]
		kind := typeOf(s.Class)
		if kind == "" || peftTypes[c.PEFT] == "" || c.Error != "" || c.Trainable > tooMany {
			continue
		}
		t.Run(c.Shape+"/"+c.Method, func(t *testing.T) {
			config := maps.Clone(s.Config)
			config["model_type"], config["architectures"] = kind, []string{s.Class}
			m, err := models.Blank(mustJSON(t, config), models.Options{})
			require.NoError(t, err)
			options := maps.Clone(c.Options)
			options["peft_type"], options["task_type"] = peftTypes[c.PEFT], s.Task
			method, err := peft.DecodeMethod(mustJSON(t, options))
			require.NoError(t, err)
			q, err := peft.Attach(tensor.Shapes(), m.Unwrap(), method, 1)
			require.NoError(t, err)
			require.Equal(t, s.Total, q.Sites().Count())
			require.Equal(t, c.Trainable, q.Summary().Trainable)
			require.Equal(t, c.Total, q.Summary().Total)
		})
		counted++
	}
	require.Greater(t, counted, 10)
}

func mustJSON(t *testing.T, v any) []byte {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}

// typeOf is the model_type of a class, empty for one that there is not.
func typeOf(class string) string {
	for prefix, kind := range map[string]string{"BertFor": "bert", "RobertaFor": "roberta", "GPT2LMHead": "gpt2", "LlamaFor": "llama"} {
		if strings.HasPrefix(class, prefix) {
			return kind
		}
	}
	return ""
}
