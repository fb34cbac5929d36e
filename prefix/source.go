package prefix

import (
	"cmp"
	"fmt"
	"slices"

	"peft/peft"
	"peft/tensor/safetensors"
)

// The ways in which multitask prompts start from a file of tensors that was saved after training on other tasks, for a task of their own.
const (
	AverageSourceTasks Init = "AVERAGE_SOURCE_TASKS" // with the mean of all its tasks' matrices
	ExactSourceTask    Init = "EXACT_SOURCE_TASK"    // with those of one of its tasks
	OnlySourceShared   Init = "ONLY_SOURCE_SHARED"   // with the shared rows alone; matrices are drawn
)

// load gives the parameters the values of the file that Source names.
func (c Multitask) load(m *scaled) error {
	f, err := safetensors.Open(c.Source)
	if err != nil {
		return fmt.Errorf("prefix: Init %s: %w", c.Init, err)
	}
	defer f.Close()
	if err := read(f, embeddingsKey, m.shared.Param, nil); err != nil || c.Init == OnlySourceShared {
		return err
	}
	return cmp.Or(read(f, colsKey, m.cols, c.pick), read(f, rowsKey, m.rows, c.pick))
}

// pick is one task's part of the values of n tasks.
func (c Multitask) pick(v []float64, n int) ([]float64, error) {
	size := len(v) / max(1, n)
	if c.Init == ExactSourceTask {
		if c.SourceTask < 0 || c.SourceTask >= n {
			return nil, fmt.Errorf("prefix: SourceTask is %d, the file has %d tasks", c.SourceTask, n)
		}
		return v[c.SourceTask*size:][:size], nil
	}
	mean := make([]float64, size)
	for i, x := range v {
		mean[i%size] += x / float64(n)
	}
	return mean, nil
}

// read gives a parameter the values of a tensor of a file. With pick, the tensor has an axis of tasks in front, of which that makes one.
func read(f *safetensors.File, key string, x *peft.Param, pick func([]float64, int) ([]float64, error)) error {
	t, ok := f.Tensor(key)
	if !ok {
		return fmt.Errorf("prefix: the file has no tensor %s", key)
	}
	shape, want := t.Shape, x.Tensor().Shape()
	if pick != nil && len(shape) > 0 {
		shape, want = shape[1:], want[1:]
	}
	if !slices.Equal(shape, want) {
		return fmt.Errorf("prefix: %s has shape %v, expected %v", key, t.Shape, x.Tensor().Shape())
	}
	v, err := t.Float64s()
	if err == nil && pick != nil {
		v, err = pick(v, t.Shape[0])
	}
	if err != nil {
		return err
	}
	x.Tensor().Assign(v)
	return nil
}
