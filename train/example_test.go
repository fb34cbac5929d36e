package train_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// A Net is a model of a program's own: two layers, the second of which is its head.
type Net struct {
	Hidden peft.Linear `name:"hidden"`
	Head   peft.Linear `name:"head"`
}

// Logits runs the net on points in the plane.
func (n *Net) Logits(p *peft.Pass, points []float64) *tensor.Tensor {
	x := p.Scope().Tensor(points, len(points)/2, 2)
	return n.Head.Apply(p, n.Hidden.Activated(p, x, tensor.ReLU))
}

// Teach a net whose layers are random and frozen to tell points inside the unit circle from those outside. Only a copy of its head is trained.
func ExampleRun() {
	rng := rand.New(rand.NewPCG(1, 1))
	net := &Net{Hidden: linear(rng, 2, 64), Head: linear(rng, 64, 2)}
	net.Head.Role = peft.Head
	var points []float64
	var labels []int32
	for range 256 {
		x, y := 3*rng.Float64()-1.5, 3*rng.Float64()-1.5
		inside := int32(0)
		if x*x+y*y < 1 {
			inside = 1
		}
		points, labels = append(points, x, y), append(labels, inside)
	}

	device := tensor.CPU(0)
	patch, err := peft.Attach(device, net, peft.Heads{}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := train.Run(context.Background(), train.Job{
		Patch:    patch,
		Examples: len(labels),
		Loss: func(p *peft.Pass, rows []int) (train.Loss, error) {
			var x []float64
			var y []int32
			for _, i := range rows {
				x, y = append(x, points[2*i:2*i+2]...), append(y, labels[i])
			}
			return train.Loss{Value: tensor.CrossEntropy(net.Logits(p, x), y), Targets: len(rows)}, nil
		},
	}, train.Config{Epochs: 40, Batch: 32, LR: 0.03, Warmup: 0.1})
	if err != nil {
		fmt.Println(err)
		return
	}

	p := peft.With(device, patch).NoGrad()
	defer p.Close()
	scores := net.Logits(p, []float64{0.1, 0.2, 1.3, -1.2}).Float64s()
	fmt.Println(result.Steps, "steps,", patch.Trainable(), "parameters")
	fmt.Println("centre is inside:", scores[1] > scores[0])
	fmt.Println("corner is inside:", scores[3] > scores[2])
	// Output:
	// 320 steps, 130 parameters
	// centre is inside: true
	// corner is inside: false
}
