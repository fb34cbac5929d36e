package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"peft/adapter"
	"peft/bitfit"
	"peft/lora"
	"peft/peft"
	"peft/prefix"
	"peft/sparsemask"
)

// A contender is a method as the quickstart trains it.
type contender struct {
	name, family string // name as for finetune's -method
	method       peft.Method
	rate         float64 // learning rate of all but the head
	epochs       int
}

// contenders are the methods that learn the words. Their rates were chosen by examples/sweep on words kept back from training.
var contenders = []contender{
	{"head", "baseline", peft.Heads{}, 1e-2, 10},
	{"full", "baseline", peft.Full{}, 3e-4, 3},
	{"adapter", "additive", adapter.Config{Head: true}, 3e-3, 3},
	{"parallel", "additive", scaledParallel(), 2e-3, 3},
	{"prefix", "additive", prefix.Config{Tokens: 10, Head: true}, 1e-2, 3},
	{"prompt", "additive", prefix.Prompt{Tokens: 10, Init: prefix.SampleVocab, Head: true}, 1e-2, 3},
	{"ia3", "additive", lora.IA3{Common: lora.Common{Head: true}}, 1e-2, 3},
	{"bitfit", "selective", bitfit.Config{Head: true}, 3e-3, 3},
	{"fish", "selective", sparsemask.Config{Keep: 0.005, Samples: 256, Head: true}, 2e-3, 3},
	{"lora", "reparameterised", loraQV, 2e-3, 3},
	{"dora", "reparameterised", lora.Config{Rank: 8, Alpha: 16, DoRA: true, On: peft.Suffixes("query", "value"), Head: true}, 2e-3, 3},
}

// choose is the contenders of some names, and LoRA; all where no names are given.
func choose(names string) (some []contender, err error) {
	known := map[string]bool{}
	for _, c := range contenders {
		known[c.name] = true
	}
	want := map[string]bool{"lora": true}
	for _, n := range strings.Split(names, ",") {
		if want[n] = true; names != "" && !known[n] {
			return nil, fmt.Errorf("quickstart: -methods: found %q, expected names of %v", n, slices.Sorted(maps.Keys(known)))
		}
	}
	for _, c := range contenders {
		if names == "" || want[c.name] {
			some = append(some, c)
		}
	}
	return some, nil
}

// onEra learns the second task.
var onEra = contender{"lora", "reparameterised", loraQV, 2e-3, 3}

// loraQV is LoRA of rank 8 on the query and value maps.
var loraQV = lora.Config{Rank: 8, Alpha: 16, On: peft.Suffixes("query", "value"), Head: true}

// scaledParallel is He et al.'s adapter with a head.
func scaledParallel() adapter.Config {
	c := adapter.ScaledParallel()
	c.Head = true
	return c
}

// What all contenders have in common.
const (
	clip   = 1
	warmup = 0.06 // share of all steps
	batch  = 16
	looks  = 6 // evaluations of each
	seed   = 4 // accuracies of other seeds differ by about a point
)

// steps is how many steps a contender takes on so many examples; most above 0 ends it early.
func (c contender) steps(examples, most int) int {
	all := (examples + batch - 1) / batch * c.epochs
	if most > 0 {
		return min(all, most)
	}
	return all
}
