package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
)

// TestPrefix trains the rows of prefixes and prompts of all kinds as Hugging Face PEFT does.
func TestPrefix(t *testing.T) {
	tried := 0
	for _, c := range golden.Cases(t, "hf", "*.p*", "*.mpt") {
		soft := slices.Contains([]string{"PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING"}, c.Method)
		if soft && c.Model != "t5" && c.Model != "t5-v1.1" && c.Name != "gpt2-cls.prompt" {
			t.Run(c.Name, func(t *testing.T) { tryTrajectory(t, c, "-init", c.Path("adapter")) })
			tried++
		}
	}
	require.Greater(t, tried, 15)
}
