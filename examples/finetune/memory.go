package main

import (
	"context"
	"fmt"
	"io"

	"peft/examples/internal/cli"
	"peft/tensor"
	"peft/train"
)

// tellMemory says, before hours of training, how much memory a step will take, or why that is not known.
func (j *job) tellMemory(ctx context.Context, e cli.Env, o options) {
	m, err := j.memory(ctx, o)
	if err != nil {
		fmt.Fprintf(e.Err, "how much memory a step will take is not known: %v\n", err)
		return
	}
	fmt.Fprintf(e.Err, "a step will take at most about %s MB: %s for frozen weights, %s for what is trained and its moments, %s for activations and gradients\n",
		mega(m.Total()), mega(m.Weights+m.Prepared), mega(m.Kept), mega(m.Step+m.Idle))
}

// memory is what a step takes, counted with a patch whose tensors have no numbers.
func (j *job) memory(ctx context.Context, o options) (m train.Memory, err error) {
	shapes := *j
	shapes.dev = tensor.Shapes()
	err = tensor.Try(func() error {
		shapes.patch, err = j.spec.attach(ctx, cli.Env{Err: io.Discard}, &shapes, o)
		return err
	})
	if err != nil {
		return m, err
	}
	return train.PeakMemory(shapes.job(), o.train)
}

// mega is bytes as a number of megabytes.
func mega(bytes int64) string { return fmt.Sprintf("%.3g", float64(bytes)/1e6) }
