package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
)

// prefixCases are the golden ones of prefixes and prompts of all kinds.
func prefixCases(t *testing.T) (all []golden.Case) {
	for _, c := range golden.Cases(t, "hf", families...) {
		if slices.Contains([]string{"PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING", "ADAPTION_PROMPT"}, c.Method) && excluded[c.Name] == "" {
			all = append(all, c)
		}
	}
	require.Greater(t, len(all), 15)
	return all
}

// TestPrefix trains the rows of prefixes and prompts as Hugging Face PEFT does.
func TestPrefix(t *testing.T) {
	for _, c := range prefixCases(t) {
		t.Run(c.Name, func(t *testing.T) { tryTrajectory(t, c, "-init", c.Path("adapter")) })
	}
}
