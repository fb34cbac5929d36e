package train

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFileOrderWrapsRound(t *testing.T) {
	o := &order{Examples: 5, Batch: 2, Accumulate: 2, InOrder: true}
	require.Equal(t, [][]int{{0, 1}, {2, 3}}, o.step(0))
	require.Equal(t, [][]int{{4, 0}, {1, 2}}, o.step(1))
	require.Equal(t, 3, o.total(2), "ten examples, four a step")
	require.Equal(t, []int{0, 0, 1, 2}, []int{o.epochs(0), o.epochs(1), o.epochs(2), o.epochs(3)})
}

func TestShuffledEpochsTakeEveryExampleOnce(t *testing.T) {
	o := &order{Examples: 11, Batch: 2, Accumulate: 4, Seed: 1}
	require.Equal(t, 2, o.perEpoch())
	require.Equal(t, 6, o.total(3))
	var epochs [][]int
	for e := range 3 {
		first, last := o.step(2*e), o.step(2*e+1)
		require.Len(t, first, 4)
		require.Len(t, last, 2)
		require.Len(t, last[1], 1, "the rest")
		rows := slices.Concat(append(first, last...)...)
		epochs = append(epochs, rows)
		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, slices.Sorted(slices.Values(rows)))
	}
	require.NotEqual(t, epochs[0], epochs[1])
	require.NotEqual(t, epochs[1], epochs[2])
}

func TestOrderIsAFunctionOfTheStep(t *testing.T) {
	a := &order{Examples: 9, Batch: 2, Accumulate: 1, Seed: 7}
	want := a.step(12)
	a.step(3)
	require.Equal(t, want, a.step(12))
	require.Equal(t, want, (&order{Examples: 9, Batch: 2, Accumulate: 1, Seed: 7}).step(12))
	require.NotEqual(t, want, (&order{Examples: 9, Batch: 2, Accumulate: 1, Seed: 8}).step(12))
}

func TestGroupingByLengthSortsInWindows(t *testing.T) {
	length := func(i int) int { return i % 17 }
	o := &order{Examples: 250, Batch: 2, Accumulate: 1, ByLength: true, Seed: 1, length: length}
	var rows []int
	for i := range o.perEpoch() {
		rows = append(rows, o.step(i)[0]...)
	}
	require.Len(t, rows, 250)
	for part := range slices.Chunk(rows, window*2) {
		require.False(t, slices.IsSortedFunc(part, func(a, b int) int { return length(b) - length(a) }), "batches are shuffled")
		for batch := range slices.Chunk(part, 2) {
			require.InDelta(t, length(batch[0]), length(batch[1]), 1)
		}
	}
	slices.Sort(rows)
	require.Len(t, slices.Compact(rows), 250)
}
