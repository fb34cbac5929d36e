package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/peft"
)

// compositions are the golden cases of AdapterHub's library with several adapters.
func compositions(t *testing.T) (all []golden.Case) {
	for _, c := range golden.Cases(t, "adapterhub", "bert-*", "gpt2-*", "llama-*") {
		if peft.IsComposition(c.Path("adapter")) {
			all = append(all, c)
		}
	}
	require.Greater(t, len(all), 10)
	return all
}

func TestCompositions(t *testing.T) {
	for _, c := range compositions(t) {
		t.Run(c.Name, func(t *testing.T) { tryGolden(t, c) })
	}
}
