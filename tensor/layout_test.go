package tensor

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// mixed is a layout of sequences of 3, 0 and 2 rows, the first row of each that has one being virtual.
func mixed() *Layout {
	l := NewLayout(3, 0, 2)
	l.Virtual, l.IDs = []bool{true, false, false, true, false}, []int32{-1, 7, 8, -1, 9}
	return l
}

func TestLayout(t *testing.T) {
	l := NewLayout(3, 0, 2)
	require.Equal(t, &Layout{Start: []int32{0, 3, 3, 5}, Pos: []int32{0, 1, 2, 0, 1}}, l)
	require.Equal(t, []int{3, 5}, []int{l.Sequences(), l.Rows()})
	lo, hi := l.Bounds(2)
	require.Equal(t, []int{3, 5}, []int{lo, hi})
	for row, want := range []int{0, 0, 0, 2, 2} {
		require.Equal(t, want, l.Sequence(row))
		require.False(t, l.IsVirtual(row))
	}
	require.Equal(t, []int32{0, 1, 2, 3, 4}, l.Real())
	require.Equal(t, &Layout{Start: []int32{0}}, NewLayout())
	require.Equal(t, NewLayout(1, 1, 1), Singles(3))
}

func TestLayoutSelect(t *testing.T) {
	l, rows := mixed().Select([]int{2, 0, 2})
	require.Equal(t, []int32{3, 4, 0, 1, 2, 3, 4}, rows)
	require.Equal(t, []int32{0, 2, 5, 7}, l.Start)
	require.Equal(t, []int32{0, 1, 0, 1, 2, 0, 1}, l.Pos)
	require.Equal(t, []bool{true, false, true, false, false, true, false}, l.Virtual)
	require.Equal(t, []int32{-1, 9, -1, 7, 8, -1, 9}, l.IDs)
	l, rows = NewLayout(2, 1).Select(nil)
	require.Equal(t, []int{0, 0, 0}, []int{l.Sequences(), l.Rows(), len(rows)})
}

func TestLayoutVirtual(t *testing.T) {
	l := mixed()
	require.Equal(t, []int32{1, 2, 4}, l.Real())
	require.Equal(t, []int32{-1, 7, 8, -1, 9}, l.Spread([]int32{7, 8, 9}, -1))
	require.Equal(t, []int32{7, 8}, NewLayout(2).Spread([]int32{7, 8}, -1))
	real := l.realOnly(l.Real())
	require.Equal(t, []int32{0, 2, 2, 3}, real.Start)
	require.Equal(t, []int32{1, 2, 1}, real.Pos) // positions stay
}

func TestLayoutRepeat(t *testing.T) {
	l := mixed().Repeat(2)
	require.Equal(t, []int32{0, 6, 6, 10}, l.Start)
	require.Equal(t, []int32{0, 0, 1, 1, 2, 2, 0, 0, 1, 1}, l.Pos)
	require.Equal(t, []bool{true, true, false, false, false, false, true, true, false, false}, l.Virtual)
}

// Joining and selecting are inverse to each other.
func TestJoinLayouts(t *testing.T) {
	require.Equal(t, append(mixed().IDs, mixed().IDs...), JoinLayouts(mixed(), mixed()).IDs)
	joined := JoinLayouts(NewLayout(2), mixed(), NewLayout(0, 1))
	require.Nil(t, joined.IDs) // not known for all
	require.Equal(t, []int32{0, 2, 5, 5, 7, 7, 8}, joined.Start)
	require.Equal(t, []int32{0, 1, 0, 1, 2, 0, 1, 0}, joined.Pos)
	require.Equal(t, []int32{0, 1, 3, 4, 6, 7}, joined.Real())
	part, _ := joined.Select([]int{1, 2, 3})
	want := mixed()
	want.IDs = nil
	require.Equal(t, want, part)
}

// Results have the layout of their rows, and none where rows are others.
func TestLayoutOfResults(t *testing.T) {
	x := Reference().Constant(nil, 5, 6).WithLayout(mixed())
	for name, y := range map[string]*Tensor{
		"add": Add(x.WithLayout(nil), x), "apply": Apply(GELU, x), "linear": fixedWeight().Linear(x, Affine{}), "columns": Columns(x, 1, 2),
		"norm": RMSNorm(x, nil, 1), "attend": Attend(x, x, x, Attention{Heads: 2}),
	} {
		require.Same(t, x.Layout(), y.Layout(), name)
	}
	for name, y := range map[string]*Tensor{
		"rows": Rows(x, 0, 5), "sum": SumRows(x), "transpose": Transpose(x), "stack": Stack(nil, x, x), "gather": GatherRows(x, []int32{1}, nil),
		"reshape": Reshape(x, 6, 5),
	} {
		require.Nil(t, y.Layout(), name)
	}
}
