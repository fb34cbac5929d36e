package lora_test

import (
	"fmt"
	"log"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
)

// A Program's own model: plain structs with sites in them.
type Program struct {
	Up, Down peft.Linear
}

func (m *Program) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return m.Down.Apply(p, m.Up.Activated(p, x, tensor.ReLU))
}

func Example() {
	model := &Program{
		Up:   peft.LinearOf([]float32{1, 2, 3, 4, 5, 6}, nil, 2),
		Down: peft.LinearOf([]float32{1, -1, 1}, nil, 3),
	}
	dev := tensor.CPU(1)
	patch, err := peft.Attach(dev, model, lora.Config{Rank: 1, On: peft.Named("Up")}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(patch.Summary())

	p := peft.With(dev, patch)
	defer p.Close()
	fmt.Println(model.Forward(p, p.Scope().Tensor([]float64{1, 1}, 1, 2)).Float64s())
	// Output:
	//          2  [1 2]          Up/lora_A
	//          3  [3 1]          Up/lora_B
	// trained 5 of 14 (35.7143 %)
	// [7]
}
