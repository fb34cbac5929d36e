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
		if slices.Contains([]string{"PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING", "ADAPTION_PROMPT", "CPT"}, c.Method) && excluded[c.Name] == "" {
			all = append(all, c)
		}
	}
	return all
}

// TestPrefix compares prefixes and prompts with Hugging Face PEFT.
func TestPrefix(t *testing.T) {
	all := prefixCases(t)
	require.Greater(t, len(all), 20)
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) { tryGolden(t, c) })
	}
}
