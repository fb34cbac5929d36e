package profile_test

import (
	"fmt"

	"peft/tensor"
	"peft/tensor/profile"
)

func Example() {
	dev, report := profile.New(tensor.CPU(1))
	x := dev.Constant(nil, 100, 20)
	report.Reset()
	tensor.MatMulT(x, x)
	for _, op := range report.Ops() {
		if op.Flops > 0 {
			fmt.Println(op.Name, op.Detail, op.Calls, op.Flops, op.Bytes)
		}
	}
	// Output: MatMul 100×20×100 1 400000 56000
}
