package adapter_test

import (
	"fmt"
	"log"

	"peft/adapter"
	"peft/peft"
	"peft/tensor"
)

// A Program's own block: a map inside a residual branch, whose end is a site.
type Program struct {
	Layers []*Block
}

type Block struct {
	Map peft.Linear
	End peft.Sublayer
}

func (m *Program) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	for _, b := range m.Layers {
		x = b.End.Apply(p, x, x, b.Map.Apply(p, x))
	}
	return x
}

func Example() {
	model := &Program{}
	for range 2 {
		model.Layers = append(model.Layers, &Block{
			Map: peft.LinearOf([]float32{0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0}, nil, 4),
			End: peft.Sublayer{Role: peft.FFN, Size: 4},
		})
	}
	parallel := adapter.Parallel()
	parallel.LeaveOut = []int{0}
	dev := tensor.CPU(1)
	patch, err := peft.Attach(dev, model, parallel, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(patch.Summary())

	p := peft.With(dev, patch)
	defer p.Close()
	x := p.Scope().Tensor([]float64{1, 2, 3, 4}, 1, 4).WithLayout(tensor.NewLayout(1))
	fmt.Println(model.Forward(p, x).Float64s()) // Up is zero at first
	// Output:
	//          8  [2 4]          Layers.1.End/adapter_down.0.weight
	//          2  [2]            Layers.1.End/adapter_down.0.bias
	//          8  [4 2]          Layers.1.End/adapter_up.weight
	//          4  [4]            Layers.1.End/adapter_up.bias
	// trained 22 of 54 (40.7407 %)
	// [8 12 12 8]
}
