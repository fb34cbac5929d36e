package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// weights are one matrix [rows×cols] of numbers between −1 and 1 in all storages, and how far each is off.
func weights(t *testing.T, rows, cols int) map[DType]*Weight {
	rng := rand.New(rand.NewPCG(8, 8))
	v := make([]float32, rows*cols)
	for i := range v {
		v[i] = 2*rng.Float32() - 1
	}
	all := map[DType]*Weight{}
	for _, dt := range []DType{F32, BF16, F16, I8} {
		w, err := WeightOf(v, rows, cols).As(dt)
		require.NoError(t, err)
		require.Equal(t, dt, w.Type())
		all[dt] = w
	}
	return all
}

// A number of size 1 at most is off by half of the last bit that the storage has.
func TestWeightAs(t *testing.T) {
	d := Reference()
	all := weights(t, 6, 10)
	want := all[F32].Constant(d).Float64s()
	for dt, off := range map[DType]float64{F32: 0, BF16: 0x1p-9, F16: 0x1p-12, I8: 0.5 / 127 * 1.001} {
		for i, v := range all[dt].Constant(d).Float64s() {
			require.InDelta(t, want[i], v, off, dt)
		}
	}
	_, err := all[F32].As(F64)
	require.EqualError(t, err, "tensor: a weight cannot be turned into F64")
}

// Numbers so small that their scale would have few bits, or none, become zero or keep their sign.
func TestWeightAsOfTiny(t *testing.T) {
	for _, largest := range []float32{0, 1e-45, 5e-44, 2e-43, 1e-40, math.MaxFloat32} {
		w, err := WeightOf([]float32{largest, -largest, 0}, 1, 3).As(I8)
		require.NoError(t, err)
		got := w.Constant(Reference()).Float64s()
		require.InDelta(t, largest, got[0], float64(largest)*1e-6+0x1p-127)
		require.Equal(t, -got[0], got[1])
		require.Zero(t, got[2])
	}
}

// All ways to use a weight see the same matrix, whatever its storage, on every device.
func TestWeightViews(t *testing.T) {
	for _, d := range []*Device{Reference(), CPU(1)} {
		for dt, w := range weights(t, 6, 10) {
			t.Run(fmt.Sprint(d.Name(), dt), func(t *testing.T) {
				s := NewScope(d)
				defer s.Close()
				dense, ids := w.Dense(s), []int32{5, 0, 5}
				require.Equal(t, w.Constant(d).Float64s(), dense.Float64s())
				require.Equal(t, GatherRows(dense, ids, nil).Float64s(), w.Gather(s, ids).Float64s())
				rng := rand.New(rand.NewPCG(1, 1))
				x := random(d, rng, 4, 10)
				y, z := w.Linear(s.Use(x), Affine{}), Dense{dense}.Linear(s.Use(x), Affine{})
				near(t, z.Float64s(), y.Float64s())
				near(t, Backward(Sum(Mul(z, z))).Of(x).Float64s(), Backward(Sum(Mul(y, y))).Of(x).Float64s())
			})
		}
	}
}

// near requires numbers to be equal up to float32.
func near(t *testing.T, want, got []float64) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.InDelta(t, want[i], got[i], 1e-5*(1+math.Abs(want[i])))
	}
}

// A weight is prepared once a device, and its constant made once, however many ask at the same time.
func TestWeightOnce(t *testing.T) {
	d, c := counting()
	w := fixedWeight()
	_, live := c.since(func() {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { w.Constant(d) })
		}
		group.Wait()
	})
	require.Equal(t, 18, live)
	require.Same(t, w.Constant(d), w.Constant(d))
	require.NotSame(t, w.Constant(d), w.Constant(Reference()))
}

// The parts of an affine map are those of its definition.
func TestAffine(t *testing.T) {
	d := Reference()
	rng := rand.New(rand.NewPCG(4, 4))
	x, a, b, bias := random(d, rng, 5, 6), random(d, rng, 2, 6), random(d, rng, 3, 2), random(d, rng, 3)
	low := &LowRank{X: x, A: a, B: b, Scale: 0.3}
	want := Apply(GELU, Add(Add(MatMulT(x, fixedWeight().Constant(d)), Scale(MatMulT(MatMulT(x, a), b), 0.3)), bias))
	require.InDeltaSlice(t, want.Float64s(), fixedWeight().Linear(x, Affine{Bias: bias, Low: low, Func: GELU}).Float64s(), 1e-14)
	require.InDeltaSlice(t, want.Float64s(), Dense{fixedWeight().Constant(d)}.Linear(x, Affine{Bias: bias, Low: low, Func: GELU}).Float64s(), 1e-14)
}

// A device that orders numbers in its own way gives them back as they were, in every use, and the data is let go of once.
func TestWeightLetsGo(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {6, 10}, {40, 33}, {500, 900}} {
		v, rng := make([]float32, size[0]*size[1]), rand.New(rand.NewPCG(9, 9))
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		w := WeightOf(v, size[0], size[1])
		t.Run(fmt.Sprint(size), func(t *testing.T) { letsGo(t, CPU(2), w, 0) })
		if d := CPUBF16(2); multipliesHalves(d) {
			w, err := w.As(BF16)
			require.NoError(t, err)
			t.Run(fmt.Sprint(size, " bf16"), func(t *testing.T) { letsGo(t, d, w, 0x1p-9) })
		}
	}
}

// multipliesHalves reports whether products of d with a BF16 weight are not exact.
func multipliesHalves(d *Device) bool {
	x := d.Constant([]float64{1 + 0x1p-12}, 1, 1)
	w, err := WeightOf([]float32{1}, 1, 1).As(BF16)
	return err == nil && w.Linear(x, Affine{}).Item() != x.Item()
}

// letsGo uses w on d, where a product is off by so much of the sizes of its factors.
func letsGo(t *testing.T, d *Device, w *Weight, off float64) {
	copied, rng := 0, rand.New(rand.NewPCG(3, 9))
	rows, cols := w.Size()
	w.Copied(func() { copied++ })
	data, _ := w.Data()
	s := NewScope(d)
	defer s.Close()
	x, dy := random(d, rng, 50, cols), random(d, rng, 50, rows)
	uses := func() (all [][]float32) {
		y := w.Linear(s.Use(x), Affine{})
		dx := Backward(Sum(Mul(y, dy.Detach()))).Of(x)
		return append(all, w.Dense(s).Float32s(), w.Gather(s, []int32{0, int32(rows - 1), 0}).Float32s(), dx.Float32s())
	}
	first := w.Dense(s).Float32s()
	require.Zero(t, copied)
	w.Ready(d)
	require.Equal(t, 1, copied)
	before := uses()
	require.Equal(t, 1, copied)
	require.Equal(t, first, before[0])
	require.Equal(t, before, uses())
	require.Equal(t, 1, copied)
	again, _ := w.Data()
	require.Equal(t, data, again)
	require.Equal(t, first, w.Constant(CPU(1)).Float32s(), "another device")
	exact := MatMul(dy, w.Constant(d).Detach()).Float32s()
	require.InDeltaSlice(t, exact, before[2], (1e-4+16*off)*float64(rows))
}
