package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"peft/adapter"
	"peft/bitfit"
	"peft/hybrid"
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

// contenders are the methods that learn the words. Sizes and rates were chosen by examples/sweep, which judges by words that are kept back from training.
var contenders = []contender{
	{"head", "baseline", peft.Heads{}, 1e-2, 10},
	{"full", "baseline", peft.Full{}, 2e-4, 3},
	{"adapter", "additive", adapter.Config{Head: true}, 3e-3, 3},
	{"parallel", "additive", scaledParallel, 1.5e-3, 3},
	{"prefix", "additive", prefix.Config{Tokens: 20, Head: true}, 3e-2, 3},
	{"prompt", "additive", prefix.Prompt{Tokens: 4, Init: prefix.SampleVocab, Head: true}, 1e-1, 3},
	{"ia3", "additive", lora.IA3{Common: lora.Common{Head: true}}, 3e-2, 3},
	{"bitfit", "selective", bitfit.Config{Head: true}, 1e-2, 3},
	{"fish", "selective", sparsemask.Config{Keep: 0.005, Samples: 256, Head: true}, 3e-3, 3},
	{"lora", "reparameterised", loraQV, 2e-3, 3},
	{"dora", "reparameterised", dora, 2e-3, 3},
	{"mam", "hybrid", mam, 2e-3, 3},
	{"unipelt", "hybrid", unipelt, 3e-3, 3},
	{"adamix", "unified", adamix, 5e-3, 3},
}

var (
	loraQV         = lora.Config{Rank: 8, Alpha: 16, On: peft.Suffixes("query", "value"), Head: true}
	dora           = lora.Config{Rank: 8, Alpha: 16, DoRA: true, On: peft.Suffixes("query", "value"), Head: true}
	scaledParallel = adapter.Config{Input: adapter.Stream, Reduction: 4, Scaling: adapter.Learned, Init: adapter.Zero, Head: true}
	mam            = hybrid.MAM{Prefix: prefix.Hub{Tokens: 10, Hidden: 64}, Adapter: adapter.Config{Reduction: 4}, Head: true}
	unipelt        = hybrid.UniPELT{Prefix: prefix.Hub{Tokens: 10, Hidden: 64}, Head: true}
	adamix         = hybrid.AdaMix{Of: loraQV, Share: hybrid.Down}
)

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

// What all contenders have in common.
const (
	clip   = 1
	warmup = 0.06 // share of all steps
	batch  = 16
	looks  = 5 // evaluations of each
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
