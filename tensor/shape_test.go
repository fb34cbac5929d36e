package tensor

import (
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// misuses are calls with operands that do not fit, on tensors of the given shapes, and what is said about them.
var misuses = []struct {
	name   string
	shapes [][]int
	call   func(s *Scope, x []*Tensor)
	says   string
}{
	{"Add", [][]int{{2, 3}, {3, 3}}, func(_ *Scope, x []*Tensor) { Add(x[0], x[1]) }, "tensor: Add: got [2 3] and [3 3], want equal shapes, or one row or column"},
	{"Sub", [][]int{{2, 3}, {2, 2}}, func(_ *Scope, x []*Tensor) { Sub(x[0], x[1]) }, "tensor: Sub: got [2 3] and [2 2], want equal shapes, or one row or column"},
	{"Mul", [][]int{{2, 3}, {2, 2}}, func(_ *Scope, x []*Tensor) { Mul(x[0], x[1]) }, "tensor: Mul: got [2 3] and [2 2], want equal shapes, or one row or column"},
	{"Div", [][]int{{2, 3}, {2, 2}}, func(_ *Scope, x []*Tensor) { Div(x[0], x[1]) }, "tensor: Div: got [2 3] and [2 2], want equal shapes, or one row or column"},
	{"MatMul", [][]int{{2, 3}, {2, 3}}, func(_ *Scope, x []*Tensor) { MatMul(x[0], x[1]) }, "tensor: MatMul: got [2 3] and [2 3], want equal inner sizes"},
	{"MatMulT", [][]int{{2, 3}, {3, 2}}, func(_ *Scope, x []*Tensor) { MatMulT(x[0], x[1]) }, "tensor: MatMulT: got [2 3] and [3 2], want equal inner sizes"},
	{"TMatMul", [][]int{{2, 3}, {3, 2}}, func(_ *Scope, x []*Tensor) { TMatMul(x[0], x[1]) }, "tensor: TMatMul: got [2 3] and [3 2], want equal inner sizes"},
	{"Linear", [][]int{{2, 3}}, func(_ *Scope, x []*Tensor) { fixedWeight().Linear(x[0], Affine{}) }, "tensor: Linear: got [2 3] for a weight of [3 6], want 6 columns"},
	{"Linear bias", [][]int{{2, 6}, {2}}, func(_ *Scope, x []*Tensor) { fixedWeight().Linear(x[0], Affine{Bias: x[1]}) }, "tensor: Linear: got [2], want a vector of 3"},
	{"LowRank inner", [][]int{{2, 6}, {4, 6}, {3, 5}}, lowRankOf, "tensor: LowRank: got [2 6] and [4 6] and [3 5], want X [2×in], A [r×in], B [3×r]"},
	{"LowRank input", [][]int{{2, 6}, {4, 5}, {3, 4}}, lowRankOf, "tensor: LowRank: got [2 6] and [4 5] and [3 4], want X [2×in], A [r×in], B [3×r]"},
	{"LowRank output", [][]int{{2, 6}, {4, 6}, {5, 4}}, lowRankOf, "tensor: LowRank: got [2 6] and [4 6] and [5 4], want X [2×in], A [r×in], B [3×r]"},
	{"Gather", nil, func(s *Scope, _ []*Tensor) { fixedWeight().Gather(s, []int32{0, 3}) }, "tensor: Gather: got row 3, want a row below 3"},
	{"Gather below", nil, func(s *Scope, _ []*Tensor) { fixedWeight().Gather(s, []int32{-1}) }, "tensor: Gather: got row -1, want a row below 3"},
	{"LayerNorm gain", [][]int{{2, 3}, {2}}, func(_ *Scope, x []*Tensor) { LayerNorm(x[0], x[1], nil, 1e-5) }, "tensor: LayerNorm: got [2], want a vector of 3"},
	{"LayerNorm bias", [][]int{{2, 3}, {4}}, func(_ *Scope, x []*Tensor) { LayerNorm(x[0], nil, x[1], 1e-5) }, "tensor: LayerNorm: got [4], want a vector of 3"},
	{"RMSNorm", [][]int{{2, 3}, {2}}, func(_ *Scope, x []*Tensor) { RMSNorm(x[0], x[1], 1e-5) }, "tensor: RMSNorm: got [2], want a vector of 3"},
	{"CrossEntropy rows", [][]int{{2, 3}}, func(_ *Scope, x []*Tensor) { CrossEntropy(x[0], []int32{1}) }, "tensor: CrossEntropy: got [2 3], want 1 rows, one a label"},
	{"CrossEntropy label", [][]int{{1, 3}}, func(_ *Scope, x []*Tensor) { CrossEntropy(x[0], []int32{3}) }, "tensor: CrossEntropy: got label 3, want a label below 3, or Ignore"},
	{"CrossEntropy below", [][]int{{1, 3}}, func(_ *Scope, x []*Tensor) { CrossEntropy(x[0], []int32{-1}) }, "tensor: CrossEntropy: got label -1, want a label below 3, or Ignore"},
	{"GatherRows", [][]int{{2, 3}}, func(_ *Scope, x []*Tensor) { GatherRows(x[0], []int32{2}, nil) }, "tensor: GatherRows: got row 2, want a row of [2 3]"},
	{"AddRows rows", [][]int{{4, 3}, {2, 3}}, func(_ *Scope, x []*Tensor) { AddRows(x[0], x[1], []int32{1}) }, "tensor: AddRows: got [4 3] and [2 3], want as many rows as indices (1) and equal columns"},
	{"AddRows row", [][]int{{4, 3}, {1, 3}}, func(_ *Scope, x []*Tensor) { AddRows(x[0], x[1], []int32{4}) }, "tensor: AddRows: got row 4, want a row of [4 3]"},
	{"Stack", [][]int{{4, 3}, {2, 2}}, func(_ *Scope, x []*Tensor) { Stack(nil, x...) }, "tensor: Stack: got [4 3] and [2 2], want equal columns"},
	{"Stack nothing", nil, func(_ *Scope, x []*Tensor) { Stack(nil, x...) }, "tensor: Stack: got nothing, want one tensor at least"},
	{"Columns", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { Columns(x[0], 2, 4) }, "tensor: Columns: got [4 3], want columns 2 to 4"},
	{"Rows", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { Rows(x[0], 3, 2) }, "tensor: Rows: got [4 3], want rows 3 to 2"},
	{"Reshape", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { Reshape(x[0], 5, 2) }, "tensor: Reshape: got [4 3], want the numbers of [5 2]"},
	{"Reshape below", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { Reshape(x[0], -4, -3) }, "tensor: Reshape: got [4 3], want the numbers of [-4 -3]"},
	{"MeanRows", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { MeanRows(x[0]) }, "tensor: MeanRows: got [4 3], want a tensor with a layout"},
	{"WithLayout", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { x[0].WithLayout(NewLayout(3)) }, "tensor: WithLayout: got [4 3], want 3 rows"},
	{"Rotate", [][]int{{4, 6}}, func(_ *Scope, x []*Tensor) { Rotate(x[0], 2, Rotary{}) }, "tensor: Rotate: got [4 6], want a layout, and heads of 0 numbers at least"},
	{"Rotate heads", [][]int{{4, 6}}, func(_ *Scope, x []*Tensor) { Rotate(laid(x[0]), 0, Rotary{}) }, "tensor: Rotate: got [4 6], want a layout, and heads of 0 numbers at least"},
	{"Rotate size", [][]int{{4, 6}}, func(_ *Scope, x []*Tensor) { Rotate(laid(x[0]), 2, Rotary{Freq: []float64{1, 2}}) }, "tensor: Rotate: got [4 6], want a layout, and heads of 4 numbers at least"},
	{"Attend layout", [][]int{{4, 6}}, func(_ *Scope, x []*Tensor) { Attend(x[0], x[0], x[0], Attention{Heads: 2}) }, "tensor: Attend: got [4 6] and [4 6] and [4 6], want layouts of as many sequences"},
	{"Attend heads", [][]int{{4, 6}}, func(_ *Scope, x []*Tensor) { attendAll(x[0], Attention{Heads: 4}) }, "tensor: Attend: got [4 6] and [4 6] and [4 6], want q [Nq×4·d], k [Nk×4·d], v of as many rows"},
	{"Attend groups", [][]int{{4, 6}}, func(_ *Scope, x []*Tensor) { attendAll(x[0], Attention{Heads: 3, KVHeads: 2}) }, "tensor: Attend: got [4 6] and [4 6] and [4 6], want q [Nq×3·d], k [Nk×2·d], v of as many rows"},
	{"Attend no groups", [][]int{{4, 6}}, func(_ *Scope, x []*Tensor) { attendAll(x[0], Attention{Heads: 3, KVHeads: -1}) }, "tensor: Attend: got [4 6] and [4 6] and [4 6], want q [Nq×3·d], k [Nk×-1·d], v of as many rows"},
	{"Attend bias", [][]int{{4, 6}, {3, 2}}, func(_ *Scope, x []*Tensor) {
		attendAll(x[0], Attention{Heads: 2, Bias: x[1], Bucket: make([]int32, 7), BucketZero: 3})
	}, "tensor: Attend: got [3 2], want a bias [2×buckets]"},
	{"Attend bucket", [][]int{{4, 6}, {2, 2}}, func(_ *Scope, x []*Tensor) {
		attendAll(x[0], Attention{Heads: 2, Bias: x[1], Bucket: []int32{0, 1, 2}})
	}, "tensor: Attend: got bucket 2, want a bucket below 2"},
	{"Attend distance", [][]int{{4, 6}, {2, 2}}, func(_ *Scope, x []*Tensor) {
		attendAll(x[0], Attention{Heads: 2, Bias: x[1], Bucket: make([]int32, 6), BucketZero: 3})
	}, "tensor: Attend: got 6 buckets from distance -3, want one for each distance from -3 to 3"},
	{"Item", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { x[0].Item() }, "tensor: Item: got [4 3], want one number"},
	{"Assign", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { x[0].Assign([]float64{1}) }, "tensor: Assign: got [4 3], want 1 numbers"},
	{"Backward", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { Backward(x[0]) }, "tensor: Backward: got [4 3], want a scalar"},
	{"AdamW", [][]int{{4, 3}, {3, 4}}, func(_ *Scope, x []*Tensor) { x[0].AdamW(x[1], x[0], x[0], AdamW{}) }, "tensor: AdamW: got [4 3] and [3 4] and [4 3] and [4 3], want one shape"},
	{"Blend", [][]int{{4, 3}}, func(_ *Scope, x []*Tensor) { Columns(x[0], 0, 2).Blend(1, 1, Columns(x[0], 1, 3)) }, "tensor: Blend: got [4 2] and [4 2], want whole tensors, no windows"},
	{"Tensor", nil, func(s *Scope, _ []*Tensor) { s.Tensor([]float64{1}, 2, 3) }, "tensor: Tensor: got 1 values, want 6 for shape [2 3]"},
	{"Constant", nil, func(s *Scope, _ []*Tensor) { s.Device().Constant([]float64{1}, 2, 3) }, "tensor: Constant: got 1 values, want 6 for shape [2 3]"},
	{"Param", nil, func(s *Scope, _ []*Tensor) { s.Device().Param([]float64{1}, 2) }, "tensor: Constant: got 1 values, want 2 for shape [2]"},
	{"WeightOf", nil, func(*Scope, []*Tensor) { WeightOf(make([]float32, 5), 2, 3) }, "tensor: WeightOf: got 5 values, want 6 for shape [2 3]"},
	{"closed", [][]int{{2, 3}}, func(_ *Scope, x []*Tensor) {
		s := NewScope(x[0].Device())
		y := Scale(s.Use(x[0]), 2)
		s.Close()
		Add(x[0], y)
	}, "tensor: use: got a tensor that has been freed: of a closed scope, or a chain's, want one that is alive"},
	{"closed bias", [][]int{{2, 6}}, func(_ *Scope, x []*Tensor) {
		s := NewScope(x[0].Device())
		y := s.Tensor(nil, 3)
		s.Close()
		fixedWeight().Linear(x[0], Affine{Bias: y})
	}, "tensor: use: got a tensor that has been freed: of a closed scope, or a chain's, want one that is alive"},
}

func lowRankOf(_ *Scope, x []*Tensor) {
	fixedWeight().Linear(x[0], Affine{Low: &LowRank{X: x[0], A: x[1], B: x[2], Scale: 1}})
}

// laid is x as one sequence.
func laid(x *Tensor) *Tensor { return x.WithLayout(NewLayout(x.Rows())) }

func attendAll(x *Tensor, a Attention) { Attend(laid(x), laid(x), laid(x), a) }

func TestMisuse(t *testing.T) {
	for _, m := range misuses {
		t.Run(m.name, func(t *testing.T) {
			d := Reference()
			s := NewScope(d)
			defer s.Close()
			var x []*Tensor
			for _, shape := range m.shapes {
				x = append(x, s.Use(d.Constant(nil, shape...)))
			}
			err := Try(func() error {
				m.call(s, x)
				return nil
			})
			require.EqualError(t, err, m.says)
			var shape *ShapeError
			require.ErrorAs(t, err, &shape)
		})
	}
}

// Try lets other panics go on, and hands on the function's own error.
func TestTry(t *testing.T) {
	require.NoError(t, Try(func() error { return nil }))
	require.Equal(t, io.EOF, Try(func() error { return io.EOF }))
	require.PanicsWithValue(t, "other", func() { _ = Try(func() error { panic("other") }) })
}

// Sizes of a weight come from files: none that overflows is believed.
func TestNewWeight(t *testing.T) {
	for _, c := range []struct {
		t          DType
		rows, cols int
		bytes      int
		scales     int
		says       string
	}{
		{F32, 2, 3, 24, 0, ""},
		{I8, 2, 3, 6, 2, ""},
		{BF16, 0, 3, 0, 0, ""},
		{F32, 2, 3, 12, 0, "tensor: weight [2 3] of F32: got 12 bytes, want 24"},
		{I8, 2, 3, 6, 3, "tensor: weight [2 3] of I8: got 3 scales, want one a row"},
		{F16, -1, -1, 2, 0, "tensor: weight [-1 -1] of F16: got 2 bytes, want sizes that memory can have"},
		{F32, math.MaxInt/4 + 1, 4, 0, 0, fmt.Sprintf("tensor: weight [%d 4] of F32: got 0 bytes, want sizes that memory can have", math.MaxInt/4+1)},
	} {
		_, err := NewWeight(c.t, c.rows, c.cols, make([]byte, c.bytes), make([]float32, c.scales))
		if c.says == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, c.says)
		}
	}
}

// A bias, gain or trained vector may be a window of a larger tensor, one column for instance.
func TestVectorOfWindow(t *testing.T) {
	d := Reference()
	wide := d.Constant([]float64{1, 10, 2, 20, 3, 30}, 3, 2)
	column, x := Columns(wide, 1, 2), d.Constant([]float64{1, 2, 4}, 1, 3)
	plain := d.Constant([]float64{10, 20, 30}, 3)
	require.Equal(t, LayerNorm(x, plain, plain, 1).Float64s(), LayerNorm(x, column, column, 1).Float64s())
	require.Equal(t, RMSNorm(x, plain, 1).Float64s(), RMSNorm(x, column, 1).Float64s())
	y := d.Constant(nil, 1, 6)
	require.Equal(t, []float64{10, 20, 30}, fixedWeight().Linear(y, Affine{Bias: column}).Float64s())
}
