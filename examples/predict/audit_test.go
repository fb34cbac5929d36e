package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
)

// families are patterns of the cases whose models there are; AdapterHub's library has the first of them.
var families = []string{"bert-*", "roberta-*", "distilbert-*", "gpt2-*", "llama-*", "qwen*", "mistral-*", "gemma3-*", "gpt-neox-*", "opt-*"}

// excluded are the cases of these families that no test here compares, with the reason.
var excluded = map[string]string{
	"bert-cls.full":   elsewhere,
	"gpt2-lm.full":    elsewhere,
	"llama-lm.full":   elsewhere,
	"gpt2-cls.prompt": "Hugging Face PEFT classifies by a position that is padding, where we take the last token",

	"llama-lm.combine":      compared,
	"gpt2-lm.combine-ranks": compared,
}

// The reasons. One that says that something is missing is to go.
const (
	elsewhere = "it has no adapter: the models' own tests compare it"
	compared  = "the tests of the program merge, which makes one adapter of several, compare it"
)

// TestAudit wants every golden case of a family that there is to be compared by one of the tests, or excluded for a reason.
func TestAudit(t *testing.T) {
	tried := map[string]bool{}
	for _, all := range [][]golden.Case{cases(t), prefixCases(t), startCases(t), hubCases(t, hubArchitectures...), hubCases(t, "reft"), compositions(t), averages(t)} {
		for _, c := range all {
			tried[c.Name] = true
		}
	}
	for name := range fusions {
		tried[name] = true
	}
	there := map[string]bool{}
	for _, c := range append(golden.Cases(t, "hf", families...), golden.Cases(t, "adapterhub", families[:5]...)...) {
		there[c.Name] = true
		require.NotEqual(t, excluded[c.Name] != "", tried[c.Name], "%s must be either compared or excluded", c.Name)
	}
	for name := range excluded {
		require.True(t, there[name], "%s, which is excluded, is no case", name)
	}
}
