package sparsemask_test

import (
	"context"
	"fmt"
	"log"

	"peft/peft"
	"peft/sparsemask"
	"peft/tensor"
)

// A Program's own model: plain structs with sites in them.
type Program struct {
	Up, Down peft.Linear
}

func (m *Program) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return m.Down.Apply(p, m.Up.Activated(p, x, tensor.ReLU))
}

// Two examples score every number of a model; the fifth of them that matters most is trained.
func Example() {
	model := &Program{
		Up:   peft.LinearOf([]float32{1, 2, 3, 4, 5, 6}, nil, 2),
		Down: peft.LinearOf([]float32{1, -1, 1, 2, 0, 1}, nil, 3),
	}
	dev := tensor.CPU(1)
	sites, err := peft.FindSites(dev, model)
	if err != nil {
		log.Fatal(err)
	}
	examples, labels := [][]float64{{1, 0}, {1, 0.5}}, []int32{0, 1}
	scores, err := sparsemask.Estimate(context.Background(), sites, sparsemask.Label, sparsemask.Data{
		Len: len(examples),
		Loss: func(p *peft.Pass, i int) (*tensor.Tensor, error) {
			logits := model.Forward(p, p.Scope().Tensor(examples[i], 1, 2))
			return tensor.CrossEntropy(logits, labels[i:i+1]), nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	patch, err := peft.AttachTo(sites, sparsemask.Config{Keep: 0.2, Scores: scores}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(patch.Summary())
	fmt.Println("places:", patch.Param("Down.weight").Places)
	// Output:
	//          2  [2]            Down.weight
	// trained 2 of 12 (16.6667 %)
	// places: [2 5]
}
