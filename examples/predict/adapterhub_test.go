package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/peft"
)

// hubCases are the golden cases of AdapterHub's library with one adapter of a method that there is.
func hubCases(t *testing.T, architectures ...string) (all []golden.Case) {
	for _, c := range golden.Cases(t, "adapterhub", "bert-*", "roberta-*", "distilbert-*", "gpt2-*", "llama-*") {
		text, err := peft.ReadConfig(c.Path("adapter"))
		if err != nil || excluded[c.Name] != "" {
			continue
		}
		name, err := peft.MethodName(text)
		require.NoError(t, err)
		for _, a := range architectures {
			if name == peft.HubFormat(a) {
				all = append(all, c)
			}
		}
	}
	return all
}

// hubArchitectures are the methods, as the library's configurations name them, of which a folder says all.
var hubArchitectures = []string{"", "prefix_tuning", "prompt_tuning", "lora", "union"}

func TestAdapterHub(t *testing.T) {
	cases := hubCases(t, hubArchitectures...)
	require.Greater(t, len(cases), 60)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { tryGolden(t, c) })
	}
}
