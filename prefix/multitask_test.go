package prefix_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
)

// read is what a model makes of two sequences, each with a task, through some patches.
func read(m *Reader, route []int, tasks []int32, patches ...*peft.Patch) []float64 {
	p := peft.With(tensor.Reference(), patches...).NoGrad()
	defer p.Close()
	if p.Tasks = tasks; route != nil {
		p.Route(route)
	}
	return m.Read(p, tensor.NewLayout(1, 2), 2, 0, 1).Float64s()
}

// TestTasks wants each sequence to have its own task's rows, in a mixed batch and in a routed one.
func TestTasks(t *testing.T) {
	model := newReader()
	q, err := peft.Attach(tensor.Reference(), model, tasks, 1)
	require.NoError(t, err)
	const first = 3 * 2 // numbers of the first sequence: two rows that were put in, and its own
	mixed := read(model, nil, []int32{2, 0}, q)
	require.Equal(t, read(model, nil, []int32{2, 2}, q)[:first], mixed[:first])
	require.Equal(t, read(model, nil, []int32{0, 0}, q)[first:], mixed[first:])
	require.NotEqual(t, read(model, nil, []int32{0, 0}, q)[:first], mixed[:first])
	routed := read(model, []int{-1, 0}, []int32{2, 0}, q)
	require.Equal(t, mixed[first:], routed[2:])
	for says, tasks := range map[string][]int32{"0 tasks for 2 sequences": nil, "1 tasks for 2": {0}, "task 3": {3, 0}, "task -1": {0, -1}} {
		require.ErrorContains(t, tensor.Try(func() error { read(model, nil, tasks, q); return nil }), says)
	}
}
