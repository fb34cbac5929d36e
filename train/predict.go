package train

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"peft/tensor"
)

// A Memory is what training takes, in bytes. Beside it there are the program, the files it has read, and the scratch memory of threads.
type Memory struct {
	Weights  int64 // frozen weights that a step reads, as they are stored
	Prepared int64 // those in the form that products read, which takes the place of what is stored as float32
	Kept     int64 // parameters, the optimizer's moments, and constants such as the frozen biases
	Step     int64 // the most that activations, gradients and temporaries take at a time
	Idle     int64 // buffers that are kept for later beside these
}

// Buffers is the peak of the device's own count, see [tensor.Device.Memory].
func (m Memory) Buffers() int64 { return m.Kept + m.Step }

// Total is all of it.
func (m Memory) Total() int64 { return m.Weights + m.Prepared + m.Kept + m.Step + m.Idle }

// PeakMemory is the memory that a run of the job will take, without running it: the patch must be one of the same method and model, attached on [tensor.Shapes], where all tensors of a step are
// made and freed as on [tensor.CPU], without their numbers. The step is that of the longest examples if the job tells lengths, else of the first ones; evaluations are not counted.
//
//	patch, err := peft.Attach(tensor.Shapes(), model, method, seed)
//	...
//	memory, err := train.PeakMemory(train.Job{Patch: patch, Examples: n, Loss: loss}, config)
func PeakMemory(j Job, c Config) (m Memory, err error) {
	c = c.withDefaults()
	c.Steps, c.Progress, c.Log = max(c.Steps, 1), nil, io.Discard
	if err := c.check(j); err != nil {
		return m, fmt.Errorf("train: %w", err)
	}
	if j.Patch.Sites().Device().Computes() {
		return m, errors.New("train: the memory of a step is counted on a device of tensor.Shapes, the patch is on one that computes")
	}
	r, err := newRun(j, c)
	if err != nil {
		return m, fmt.Errorf("train: %w", err)
	}
	if err = tensor.Try(func() error { m, err = r.memory(); return err }); err != nil {
		err = fmt.Errorf("train: the memory of a step: %w", err)
	}
	return m, err
}

// memory counts two steps: the second one has the moments that the first has made.
func (r *run) memory() (m Memory, err error) {
	rows := longest(r.Job, r.Batch)
	for range 2 {
		if err := r.shape(rows); err != nil {
			return m, err
		}
	}
	var peak int64
	m.Kept, peak = r.dev.Memory()
	m.Step, m.Idle = peak-m.Kept, r.dev.Held()-peak
	m.Weights, m.Prepared = r.dev.Weights()
	return m, nil
}

// shape does a step with some examples in each micro-batch, but for its log.
func (r *run) shape(rows []int) error {
	defer func() { r.grads.Release() }()
	var b batch
	for micro := range r.Accumulate {
		if err := r.micro(&b, micro, rows); err != nil {
			return err
		}
	}
	if b.targets == 0 || r.grads.Len() == 0 {
		return b.empty()
	}
	_, err := r.update(b, 1)
	return err
}

// longest are the examples of the batch that takes most.
func longest(j Job, batch int) []int {
	rows := make([]int, j.Examples)
	for i := range rows {
		rows[i] = i
	}
	if j.Length != nil {
		slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(j.Length(b), j.Length(a)) })
	}
	return rows[:min(batch, len(rows))]
}
