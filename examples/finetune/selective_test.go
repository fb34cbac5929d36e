package main

import (
	"testing"

	"peft/internal/golden"
)

// selective are methods that train what the base has, as cases of the own references name them.
var selective = map[string]string{
	"bitfit-bert-all":                     `{"method":"bitfit","head":false}`,
	"bitfit-bert-all-head":                `{"method":"bitfit"}`,
	"bitfit-bert-query_intermediate":      `{"method":"bitfit","terms":["query","intermediate"],"head":false}`,
	"bitfit-bert-query_intermediate-head": `{"method":"bitfit","terms":["query","intermediate"]}`,
	"bitfit-roberta-all-head":             `{"method":"bitfit"}`,
	"bitfit-gpt2-all":                     `{"method":"bitfit"}`,
	"bitfit-gpt2-query_intermediate":      `{"method":"bitfit","terms":["query","intermediate"]}`,
	"bitfit-llama-added":                  `{"method":"bitfit","add":true,"norms":false}`,
	"bitfit-llama-added-norms":            `{"method":"bitfit","add":true}`,
}

// TestSelective trains as the own references do.
func TestSelective(t *testing.T) {
	for name, method := range selective {
		t.Run(name, func(t *testing.T) {
			for _, c := range golden.Cases(t, "own", name) {
				tryTrajectory(t, c, "-method", method)
			}
		})
	}
}
