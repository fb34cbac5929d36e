package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
)

// families are patterns of the cases whose models there are; AdapterHub's library has the first five.
var families = []string{"bert-*", "roberta-*", "distilbert-*", "gpt2-*", "llama-*", "qwen*", "mistral-*", "gemma3-*", "gpt-neox-*", "opt-*"}

// excluded are the trajectories of these families that no test here follows, with the reason.
var excluded = map[string]string{
	"gpt2-cls.prompt": "Hugging Face PEFT classifies by a position that is padding, where we take the last token",
	"bitfit-t5-added": "there is no T5",
}

// TestAudit wants every golden trajectory of a family that there is to be followed by one of the tests, or excluded for a reason.
func TestAudit(t *testing.T) {
	tried := map[string]bool{"fish-bert-random-2": true, "unipelt-lora_gate-bert": true} // by TestChosenMask and TestGatedLoRA
	for _, all := range [][]golden.Case{cases(t), prefixCases(t), hubCases(t), averages(t), compositions(t), golden.Cases(t, "own", "adamix-*")} {
		for _, c := range all {
			tried[c.Name] = true
		}
	}
	for name := range optimizers {
		tried[name] = true
	}
	for name := range selective {
		tried[name] = true
	}
	there := map[string]bool{}
	for _, c := range append(append(golden.Cases(t, "hf", families...), golden.Cases(t, "adapterhub", families[:5]...)...), golden.Cases(t, "own", "*")...) {
		if _, err := os.Stat(c.Path("trajectory.json")); err != nil {
			continue
		}
		there[c.Name] = true
		require.NotEqual(t, excluded[c.Name] != "", tried[c.Name], "%s must be either followed or excluded", c.Name)
	}
	for name := range excluded {
		require.True(t, there[name], "%s, which is excluded, is no case", name)
	}
}
