package tensor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The processor makes the numbers of the reference, values and gradients, up to float32.
func TestDevicesAgree(t *testing.T) {
	for name, f := range gradientCases {
		t.Run(name, func(t *testing.T) {
			var results [2][][]float64
			for n, d := range []*Device{Reference(), CPU(2)} {
				s, params := NewScope(d), operands(d)
				loss := value(s, params, f)
				results[n] = append(results[n], loss.Float64s())
				g := Backward(loss)
				for _, p := range params {
					if x := g.Of(p); x != nil {
						results[n] = append(results[n], x.Float64s())
					}
				}
				s.Close()
			}
			require.Len(t, results[1], len(results[0]))
			for n, want := range results[0] {
				for i, v := range results[1][n] {
					require.InDelta(t, want[i], v, 1e-4*(1+math.Abs(want[i])))
				}
			}
		})
	}
}

func TestWindows(t *testing.T) {
	x := Reference().Constant([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 4, 3)
	w := Columns(Rows(x, 1, 3), 1, 3)
	require.Equal(t, []int{2, 2}, w.Shape())
	require.Equal(t, []float64{5, 6, 8, 9}, w.Float64s())
	require.Equal(t, []float32{5, 6, 8, 9}, w.Float32s())
	w.Assign([]float64{-5, -6, -8, -9})
	require.Equal(t, []float64{1, 2, 3, 4, -5, -6, 7, -8, -9, 10, 11, 12}, x.Float64s())
	require.Equal(t, []float64{-5, -6, -8, -9}, Reshape(w, 4).Float64s())
	require.Equal(t, []float64{-5, -8, -6, -9}, Transpose(w).Float64s())
	require.Empty(t, Rows(x, 2, 2).Float64s())
}

func TestShapes(t *testing.T) {
	d := Reference()
	x := d.Constant(nil, 2, 3, 4)
	require.Equal(t, []int{6, 4, 24}, []int{x.Rows(), x.Cols(), x.Len()})
	scalar := Sum(x)
	require.Equal(t, []int{1, 1, 1}, []int{scalar.Rows(), scalar.Cols(), scalar.Len()})
	require.Empty(t, scalar.Shape())
	require.Equal(t, []int{2, 3, 5}, MatMul(x, d.Constant(nil, 4, 5)).Shape())
	require.Equal(t, []int{2, 3, 6}, MatMulT(x, d.Constant(nil, 6, 4)).Shape())
	require.Equal(t, []int{2, 3, 4}, Add(x, d.Constant(nil, 4)).Shape())
	require.Equal(t, []int{2, 3, 4}, Add(d.Constant(nil, 6, 1), x).Shape())
	require.Equal(t, []int{3, 2}, Add(d.Constant(nil, 3, 1), d.Constant(nil, 1, 2)).Shape())
}

func TestDetach(t *testing.T) {
	d := Reference()
	x := d.Param([]float64{3}, 1)
	require.True(t, x.Wants())
	require.False(t, x.Detach().Wants())
	g := Backward(Sum(Mul(x, x.Detach())))
	require.Equal(t, []float64{3}, g.Of(x).Float64s())
}

// A constant gets no gradient, and neither does what is not part of the loss.
func TestOnlyParametersGetGradients(t *testing.T) {
	d := Reference()
	x, c, other := d.Param([]float64{3}, 1), d.Constant([]float64{5}, 1), d.Param([]float64{7}, 1)
	g := Backward(Sum(Mul(x, c)))
	require.Equal(t, 1, g.Len())
	require.Equal(t, 5.0, g.Of(x).Item())
	require.Nil(t, g.Of(c))
	require.Nil(t, g.Of(other))
}

// A history is gone through once; two losses over one trunk are added up first.
func TestBackwardTwice(t *testing.T) {
	d := Reference()
	x := d.Param([]float64{3}, 1)
	trunk := Apply(Square, x)
	first, second := Sum(Scale(trunk, 2)), Sum(Scale(trunk, 5))
	Backward(first)
	for _, loss := range []*Tensor{first, second} {
		err := Try(func() error {
			Backward(loss)
			return nil
		})
		require.ErrorContains(t, err, "again, want one backward pass, of the sum of all losses")
	}
	trunk = Apply(Square, x)
	g := Backward(Add(Sum(Scale(trunk, 2)), Sum(Scale(trunk, 5))))
	require.Equal(t, 7*2*3.0, g.Of(x).Item())
}

// A mean over nothing that is scored is no number, as in PyTorch, and has no gradient.
func TestCrossEntropyOfNothing(t *testing.T) {
	x := Reference().Param([]float64{1, 2}, 1, 2)
	loss := CrossEntropy(x, []int32{Ignore})
	require.True(t, math.IsNaN(loss.Item()))
	require.Zero(t, Backward(loss).Len())
}

// Each row's loss counts once, whatever rows are left out.
func TestCrossEntropyMean(t *testing.T) {
	d := Reference()
	x := d.Constant([]float64{0, 0, 5, 1, 0, math.Log(3)}, 3, 2)
	require.InDelta(t, (math.Log(2)+math.Log(4))/2, CrossEntropy(x, []int32{1, Ignore, 0}).Item(), 1e-15)
}

// The mean over a sequence without rows, or without real ones, is zero.
func TestMeanRows(t *testing.T) {
	d := Reference()
	x := d.Constant([]float64{1, 2, 3, 4, 5, 6}, 3, 2)
	l := NewLayout(2, 0, 1)
	require.Equal(t, []float64{2, 3, 0, 0, 5, 6}, MeanRows(x.WithLayout(l)).Float64s())
	l.Virtual = []bool{true, false, true}
	y := MeanRows(x.WithLayout(l))
	require.Equal(t, []float64{3, 4, 0, 0, 0, 0}, y.Float64s())
	require.Equal(t, 3, y.Layout().Sequences())
}

// Which numbers are dropped depends on the key and the place alone, and the rest is scaled up.
func TestDropout(t *testing.T) {
	d := Reference()
	ones := Shift(d.Constant(nil, 100, 100), 1)
	y := Dropout(ones, 0.25, 3)
	require.Equal(t, y.Float64s(), Dropout(ones, 0.25, 3).Float64s())
	require.NotEqual(t, y.Float64s(), Dropout(ones, 0.25, 4).Float64s())
	kept := 0
	for _, v := range y.Float64s() {
		if v != 0 {
			require.InDelta(t, 4.0/3, v, 1e-15)
			kept++
		}
	}
	require.InDelta(t, 7500, kept, 200) // 4.6 standard deviations
	require.Same(t, ones, Dropout(ones, 0, 3))
}

func TestUpdate(t *testing.T) {
	d := Reference()
	p, g, m, v := d.Param([]float64{1, -2}, 2), d.Constant([]float64{0.5, 4}, 2), d.Constant(nil, 2), d.Constant(nil, 2)
	p.AdamW(g, m, v, AdamW{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-12, Decay: 0.5, GradScale: 2, Step: 1})
	require.InDeltaSlice(t, []float64{0.95 - 0.1, -1.9 - 0.1}, p.Float64s(), 1e-10) // the first step is of length LR
	require.InDeltaSlice(t, []float64{0.1, 0.8}, m.Float64s(), 1e-15)
	require.InDeltaSlice(t, []float64{0.001, 0.064}, v.Float64s(), 1e-15)
	m.Blend(0.5, 2, g)
	require.InDeltaSlice(t, []float64{1.05, 8.4}, m.Float64s(), 1e-15)
	require.Equal(t, 16.25, g.SumSquares())
	require.True(t, g.Finite())
	g.Assign([]float64{math.Inf(1), 0})
	require.False(t, g.Finite())
}
