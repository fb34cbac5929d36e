package tensor

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlockMatMul(t *testing.T) {
	for _, d := range []*Device{Reference(), CPU(2)} {
		x := d.Constant([]float64{1, 2, 3, 4, 5, 6, 7, 8}, 2, 4)
		blocks := d.Constant([]float64{1, 0, 2, 0, 1, 3, 1, 1, 1, -1, 0, 1}, 2, 2, 3)
		got := BlockMatMul(x, blocks)
		require.Equal(t, []int{2, 6}, got.Shape())
		require.Equal(t, []float64{1, 2, 8, -1, 3, 7, 5, 6, 28, -1, 7, 15}, got.Float64s())
	}
}

func TestInverse(t *testing.T) {
	d, rng := Reference(), rand.New(rand.NewPCG(1, 1))
	x := random(d, rng, 3, 4, 4)
	for g := range 3 {
		block := MatMul(Rows(Reshape(x, 12, 4), 4*g, 4*g+4), Rows(Reshape(Inverse(x), 12, 4), 4*g, 4*g+4)).Float64s()
		for i, v := range block {
			require.InDelta(t, map[bool]float64{true: 1}[i%5 == 0], v, 1e-12)
		}
	}
	singular := Inverse(d.Constant([]float64{1, 2, 2, 4, 2, 0, 0, 2}, 2, 2, 2)).Float64s()
	require.True(t, math.IsNaN(singular[0]))
	require.Equal(t, []float64{0.5, 0, 0, 0.5}, singular[4:])
}

func TestInverseFourier(t *testing.T) {
	const rows, cols = 6, 5
	places, entries := []int32{7, 0, 29}, []float64{1.5, -0.5, 2}
	got := InverseFourier(Reference().Constant(entries, 3), places, rows, cols).Float64s()
	for p := range rows {
		for q := range cols {
			want := 0.0
			for i, at := range places {
				angle := float64(p)*float64(at/cols)/rows + float64(q)*float64(at%cols)/cols
				want += entries[i] * math.Cos(2*math.Pi*angle) / (rows * cols)
			}
			require.InDelta(t, want, got[p*cols+q], 1e-15)
		}
	}
}

func TestShapesOfBlocks(t *testing.T) {
	d := Reference()
	x := d.Constant(nil, 2, 6)
	for says, f := range map[string]func(){
		"BlockMatMul":    func() { BlockMatMul(x, d.Constant(nil, 2, 2, 2)) },
		"Inverse":        func() { Inverse(x) },
		"InverseFourier": func() { InverseFourier(x, []int32{1}, 2, 2) },
	} {
		require.ErrorContains(t, Try(func() error { f(); return nil }), says)
	}
}
