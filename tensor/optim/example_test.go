package optim_test

import (
	"fmt"

	"peft/tensor"
	"peft/tensor/optim"
)

// Fit a line through the origin by AdamW with a linear schedule.
func ExampleOptimizer() {
	d := tensor.Reference()
	slope := d.Param([]float64{0}, 1, 1)
	opt, err := optim.New(optim.Group{
		Rule:   optim.AdamW{LR: 0.3},
		Params: []optim.Param{{Name: "slope", Value: slope}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	schedule := optim.Linear(0, 100)
	for step := range 100 {
		s := tensor.NewScope(d)
		x, y := s.Tensor([]float64{1, 2, 3}, 3, 1), s.Tensor([]float64{2, 4, 6}, 3, 1)
		wrong := tensor.Sub(tensor.MatMul(x, s.Use(slope)), y)
		grads := tensor.Backward(tensor.Mean(tensor.Mul(wrong, wrong)))
		if _, err := opt.Step(grads, schedule(step)); err != nil {
			fmt.Println(err)
		}
		grads.Release()
		s.Close()
	}
	fmt.Printf("%.3f\n", slope.Item())
	// Output: 2.000
}

// The learning rate's factor rises for ten steps and then falls to zero.
func ExampleNamed() {
	schedule, err := optim.Named("linear", 10, 110)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(schedule(0), schedule(5), schedule(10), schedule(60), schedule(110))
	// Output: 0 0.5 1 0.5 0
}

// Gradients of norm 5 are scaled down to norm 1.
func ExampleClip() {
	fmt.Printf("%.4f %.4f\n", optim.Clip(5, 1), optim.Clip(0.5, 1))
	// Output: 0.2000 1.0000
}
