package main

import (
	"strings"

	"peft/lora"
	"peft/peft"
	"peft/tensor/optim"
)

// A contender is a method as the quickstart trains it.
type contender struct {
	name, family string // name as for finetune's -method
	method       peft.Method
	rate         float64 // learning rate of all but the head
	epochs       int
}

// contenders are the methods that learn the words.
var contenders = []contender{
	{"head", "baseline", peft.Heads{}, 1e-2, 10},
	{"lora", "reparameterised", loraQV, 2e-3, 3},
	{"full", "baseline", peft.Full{}, 3e-4, 3},
}

// loraQV is LoRA of rank 8 on the query and value maps.
var loraQV = lora.Config{Rank: 8, Alpha: 16, On: peft.Suffixes("query", "value"), Head: true}

// Every contender's optimizer: the head learns at no less than headRate.
const (
	headRate = 1e-3
	decay    = 0.01
	clip     = 1
	warmup   = 0.06 // share of all steps
	batch    = 16
	seed     = 4 // accuracies of other seeds differ by about a point
)

// rule is how a parameter is updated.
func (c contender) rule(x *peft.Param) optim.Rule {
	rate := c.rate
	if strings.HasPrefix(x.Name, "classifier") {
		rate = max(rate, headRate)
	}
	return optim.AdamW{LR: rate, Decay: decay}
}
