package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
)

// TestPrefix compares prefixes and prompts of all kinds with Hugging Face PEFT.
func TestPrefix(t *testing.T) {
	tried := 0
	for _, c := range golden.Cases(t, "hf", "*.p*", "*.mpt") {
		if slices.Contains([]string{"PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING"}, c.Method) && !matches(c.Name, []string{"t5", "gpt2-cls.prompt"}) {
			t.Run(c.Name, func(t *testing.T) { tryGolden(t, c) })
			tried++
		}
	}
	require.Greater(t, tried, 20)
}
