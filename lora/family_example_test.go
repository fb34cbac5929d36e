package lora_test

import (
	"fmt"
	"log"
	"slices"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// Every method is a literal, attached, counted, saved and merged in the same way.
func Example_family() {
	model := &struct{ Map peft.Linear }{peft.LinearOf(slices.Repeat([]float32{1, -1, 2}, 256)[:256], nil, 16)}
	dev, here := tensor.CPU(1), lora.Common{On: peft.Named("Map")}
	for _, m := range []peft.Method{
		lora.Config{Rank: 2, On: here.On},
		lora.Config{Rank: 2, DoRA: true, On: here.On},
		lora.IA3{Common: here},
		lora.LoKr{Common: here, Rank: 1},
		lora.VeRA{Common: here, Rank: 8},
		lora.OFT{Common: here, BlockSize: 4},
		lora.HRA{Common: here, Rank: 2},
		lora.C3A{Common: here, Block: 8},
	} {
		patch, err := peft.Attach(dev, model, m, 1)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := peft.Merge(dev, model, patch); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-11T %3d\n", m, patch.Trainable())
	}
	// Output:
	// lora.Config  64
	// lora.Config  80
	// lora.IA3     16
	// lora.LoKr    24
	// lora.VeRA    24
	// lora.OFT     24
	// lora.HRA     32
	// lora.C3A     32
}

// LoRA+ is a rule for the training loop: B learns faster than A.
func ExamplePlus() {
	model := &struct{ Map peft.Linear }{peft.LinearOf(make([]float32, 4), nil, 2)}
	patch, err := peft.Attach(tensor.CPU(1), model, lora.Config{Rank: 1, On: peft.Named("Map")}, 1)
	if err != nil {
		log.Fatal(err)
	}
	for x := range patch.Params() {
		fmt.Println(x.Name, lora.Plus{LR: 1e-4, Ratio: 16}.Rule(x).Rate())
	}
	// Output:
	// Map/lora_A 0.0001
	// Map/lora_B 0.0016
}
