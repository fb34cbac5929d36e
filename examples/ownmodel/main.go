// Command ownmodel adapts a model that the library has never heard of: a struct with sites in it.
package main

import (
	"context"
	"fmt"
	"log"

	"peft/lora"
	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// Net is a small network; what is a site can be adapted from outside.
type Net struct{ Up, Down peft.Linear }

// Forward computes through the sites.
func (n *Net) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return n.Down.Apply(p, n.Up.Activated(p, x, tensor.ReLU))
}

func main() {
	dev := tensor.CPU(0)
	net := &Net{Up: peft.LinearOf([]float32{1, -1, 2, 1, 0, 1}, nil, 2), Down: peft.LinearOf([]float32{1, 1, 2, -1, 2, 0}, nil, 3)}
	patch, err := peft.Attach(dev, net, lora.Config{Rank: 1, On: peft.Named("*")}, 1)
	if err != nil {
		log.Fatal(err)
	}
	inputs, classes := []float64{1, 2, 2, 1}, []int32{0, 1}
	loss := func(p *peft.Pass, _ []int) (train.Loss, error) {
		logits := net.Forward(p, p.Scope().Tensor(inputs, 2, 2))
		return train.Loss{Value: tensor.CrossEntropy(logits, classes), Targets: 2}, nil
	}
	result, err := train.Run(context.Background(), train.Job{Patch: patch, Examples: 2, Loss: loss}, train.Config{Steps: 50, Batch: 2, LR: 0.1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v\nloss after %d steps: %.4f\n", patch.Summary(), result.Steps, result.Loss)
}
