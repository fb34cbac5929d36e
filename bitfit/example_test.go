package bitfit_test

import (
	"fmt"
	"log"

	"peft/bitfit"
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

// The biases of a model are trained; where it has none, zeros are put.
func Example() {
	model := &Program{
		Up:   peft.LinearOf([]float32{1, 2, 3, 4, 5, 6}, []float32{0, 1, 0}, 2),
		Down: peft.LinearOf([]float32{1, -1, 1}, nil, 3),
	}
	dev := tensor.CPU(1)
	patch, err := peft.Attach(dev, model, bitfit.Config{Add: true}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(patch.Summary())

	p := peft.With(dev, patch)
	defer p.Close()
	fmt.Println(model.Forward(p, p.Scope().Tensor([]float64{1, 1}, 1, 2)).Float64s())
	// Output:
	//          3  [3]            Up.bias
	//          1  [1]            Down.bias
	// trained 4 of 13 (30.7692 %)
	// [6]
}

// Of a map that is three in one, the query's part of the bias is trained.
func Example_fused() {
	model := &struct{ Attention peft.Linear }{peft.LinearOf([]float32{1, 2, 3}, []float32{0, 0, 0}, 1)}
	model.Attention.Role = peft.Fused
	model.Attention.Parts = []peft.Part{{Role: peft.Query, Lo: 0, Hi: 1}, {Role: peft.Key, Lo: 1, Hi: 2}, {Role: peft.Value, Lo: 2, Hi: 3}}
	patch, err := peft.Attach(tensor.CPU(1), model, bitfit.Config{Terms: []peft.Role{peft.Query}}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(patch.Summary())
	// Output:
	//          1  [1]            Attention.bias
	// trained 1 of 6 (16.6667 %)
}
