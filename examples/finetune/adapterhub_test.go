package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/peft"
)

// TestAdapterHub trains as AdapterHub's library did in the golden cases with one bottleneck adapter.
func TestAdapterHub(t *testing.T) {
	tried := 0
	for _, c := range golden.Cases(t, "adapterhub", "bert-*", "roberta-*", "gpt2-*", "llama-*") {
		text, err := peft.ReadConfig(c.Path("adapter"))
		if err != nil || c.Kind != "adapter" || c.Name == "bert-flex_head" {
			continue
		}
		name, err := peft.MethodName(text)
		require.NoError(t, err)
		if name == peft.HubFormat("") {
			tried++
			t.Run(c.Name, func(t *testing.T) { tryTrajectory(t, c, "-init", c.Path("adapter")) })
		}
	}
	require.Greater(t, tried, 30)
}
