package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// A dry backend counts buffers as the pool does, whatever comes and goes.
func TestDryBuffers(t *testing.T) {
	const seed = 5
	wet, dry := New(2), NewDry(2)
	rng := rand.New(rand.NewPCG(seed, 0))
	var held [2][]backend.Buffer
	for range 2000 {
		if n := len(held[0]); n > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(n)
			for side, b := range []backend.Backend{wet, dry} {
				b.Free(held[side][i])
				held[side][i] = held[side][n-1]
				held[side] = held[side][:n-1]
			}
			continue
		}
		n := rng.IntN(1 << (4 + rng.IntN(8)))
		for side, b := range []backend.Backend{wet, dry} {
			x := b.Alloc(n)
			require.Equal(t, n, x.Len())
			held[side] = append(held[side], x)
		}
		require.Equal(t, wet.Peak(), dry.Peak(), "seed %d", seed)
		require.Equal(t, wet.Live(), dry.Live(), "seed %d", seed)
		require.Equal(t, wet.Held(), dry.Held(), "seed %d", seed)
	}
}

// It counts the panels of products, whatever the sides look like, and what is kept of weights.
func TestDryProducts(t *testing.T) {
	for _, rows := range []int{1, 7, 300, 1000} {
		for _, c := range []struct {
			stored   backend.DType
			wet, dry *Backend
		}{{backend.F32, New(2), New(2)}, {backend.BF16, New(2), New(2)}, {backend.BF16, New(2).BF16(), New(2).BF16()}} {
			stored, wet, dry := c.stored, c.wet, countFor(c.dry)
			const in, out, rank = 160, 96, 8
			storage := backend.Storage{Type: stored, Rows: out, Cols: in, Data: make([]byte, stored.Size()*in*out)}
			for _, b := range []backend.Backend{wet, dry} {
				dense := func(rows, cols int) backend.Mat { return backend.Dense(b.Alloc(rows*cols), 0, rows, cols) }
				w, x, y := b.Prepare(storage), dense(rows, in), dense(rows, out)
				u, v := dense(rows, rank), dense(out, rank)
				b.MulT(y, x, w, backend.Epilogue{Low: &backend.LowRank{U: u, V: v}})
				b.MulT(y, x, w, backend.Epilogue{})
				b.Mul(x, y, w, nil, 0)
				b.MatMul(dense(in, out), x.T(), y, 1, 0)
				b.MatMul(u, y, v, 1, 0)
				b.MatMul(y, u, v.T(), 1, 0)
			}
			require.Equal(t, wet.Peak(), dry.Peak(), "%d rows, %v", rows, stored)
			file, kept := dry.Weights()
			switch {
			case stored == backend.BF16 && wet.bf16:
				require.Zero(t, file, "pairs take the storage's place")
				require.Equal(t, int64(2*in*out), kept, "all panels are whole")
			case stored == backend.F32:
				require.Zero(t, file, "panels take the storage's place")
				require.Equal(t, int64(4*in*out), kept, "all panels are whole")
			default:
				require.Equal(t, int64(len(storage.Data)), file)
				require.Zero(t, kept)
			}
		}
	}
}

// What is read are zeros, and what is asked for is fine.
func TestDryReads(t *testing.T) {
	d := NewDry(1)
	m := backend.Dense(d.Alloc(4), 0, 2, 2)
	d.Write(m.Buf, 0, []float64{1, 2, 3, 4})
	x, y := []float64{7, 7}, []float32{7, 7}
	d.Read(x, m.Buf, 0)
	d.ReadF32(y, m.Buf, 2)
	require.Equal(t, []float64{0, 0}, x)
	require.Equal(t, []float32{0, 0}, y)
	require.Zero(t, d.SumSquares(m))
	require.True(t, d.Finite(m))
	require.Equal(t, "shapes", d.Name())
}
