package lora

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"peft/peft"
)

// A Bias says which biases of the base are trained with a patch.
type Bias string

// The choices of Hugging Face PEFT.
const (
	NoBias   Bias = "none"
	AllBias  Bias = "all"       // every bias of the model
	OnlyLoRA Bias = "lora_only" // those of the adapted maps
)

// An Init is how a fresh patch starts. The zero value is the method's own way to start as the base.
type Init string

// The initialisations that methods share. Each but [Random] leaves the model as it is.
const (
	Kaiming  Init = "kaiming"  // the zero value's other name
	Gaussian Init = "gaussian" // A normal of standard deviation 1/r, B zero
	Random   Init = "random"   // nothing zero: for tests, where a difference must show
)

// check wants the initialisation to be one of those that a method has.
func (i Init) check(allowed ...Init) error {
	allowed = append([]Init{Kaiming, Random}, allowed...)
	if i != "" && !slices.Contains(allowed, i) {
		return fmt.Errorf("lora: Init is %q, must be one of %q", i, allowed)
	}
	return nil
}

// MarshalJSON writes true, false or a word, as Hugging Face PEFT does.
func (i Init) MarshalJSON() ([]byte, error) {
	switch i {
	case "", Kaiming:
		return []byte("true"), nil
	case Random:
		return []byte("false"), nil
	}
	return json.Marshal(string(i))
}

// UnmarshalJSON reads true, false or a word.
func (i *Init) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true", "null":
		*i = ""
		return nil
	case "false":
		*i = Random
		return nil
	}
	var word string
	if err := json.Unmarshal(text, &word); err != nil {
		return fmt.Errorf("expected true, false or a word, found %.40s", text)
	}
	*i = Init(word)
	return nil
}

// kaiming is rows·cols draws from ±1/√cols: what PyTorch calls Kaiming uniform with a = √5.
func kaiming(rng peft.Rand, rows, cols int) []float64 {
	return peft.Uniform(rng, rows*cols, 1/math.Sqrt(float64(cols)))
}

// last makes the values of what starts at zero, but for [Random].
func (i Init) last(draw func() []float64) []float64 {
	if i == Random {
		return draw()
	}
	return nil
}
