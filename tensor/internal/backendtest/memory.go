package backendtest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// testMemory checks that buffers are of the size asked for, apart from each other, and give back what was written.
func testMemory(t *testing.T, b backend.Backend) {
	t.Run("Apart", func(t *testing.T) { testApart(t, b) })
	t.Run("Rounded", func(t *testing.T) { testRounded(t, b) })
	t.Run("Parts", func(t *testing.T) { testParts(t, b) })
}

// testApart fills buffers of many sizes, some of them freed and allocated again, and finds in each what it was filled with.
func testApart(t *testing.T, b backend.Backend) {
	sizes := []int{0, 1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 100, 1000, 1023, 1024, 1025, 4096, 100000}
	lasting := b.Lasting(100)
	require.Equal(t, 100, lasting.Len())
	b.Fill(backend.Dense(lasting, 0, 1, 100), -1)
	for range 3 {
		var live []backend.Buffer
		for n, size := range sizes {
			buf := b.Alloc(size)
			require.Equal(t, size, buf.Len())
			b.Fill(backend.Dense(buf, 0, 1, size), float64(n))
			live = append(live, buf)
		}
		for n, buf := range live {
			requireAll(t, b, buf, float64(n))
			b.Free(buf)
		}
	}
	requireAll(t, b, lasting, -1)
}

// requireAll finds the same number in all of a buffer.
func requireAll(t *testing.T, b backend.Backend, buf backend.Buffer, want float64) {
	t.Helper()
	got := make([]float64, buf.Len())
	b.Read(got, buf, 0)
	for i, v := range got {
		require.Equal(t, want, v, "number %d of %d", i, len(got))
	}
}

// testRounded: what is written and read is off by a rounding to float32 at most; float32 numbers are not off at all.
func testRounded(t *testing.T, b backend.Backend) {
	want := []float64{0, math.Copysign(0, -1), 1, -1.0 / 3, math.Pi * 1e20, 1e-20, math.MaxFloat32, 0x1p-126, math.Inf(1), math.Inf(-1)}
	buf, got, narrow := b.Alloc(len(want)), make([]float64, len(want)), make([]float32, len(want))
	defer b.Free(buf)
	b.Write(buf, 0, want)
	b.Read(got, buf, 0)
	b.ReadF32(narrow, buf, 0)
	for i, v := range want {
		require.True(t, v == got[i] || float64(float32(v)) == got[i], "wrote %v, read %v", v, got[i])
		require.Equal(t, math.Float32bits(float32(v)), math.Float32bits(narrow[i]))
	}
	b.WriteF32(buf, 0, narrow)
	b.Read(got, buf, 0)
	for i, v := range narrow {
		require.Equal(t, math.Float64bits(float64(v)), math.Float64bits(got[i]))
	}
	b.Write(buf, 1, []float64{math.NaN()})
	b.ReadF32(narrow[:1], buf, 1)
	require.True(t, math.IsNaN(float64(narrow[0])))
}

// testParts writes and reads in the middle of a buffer.
func testParts(t *testing.T, b backend.Backend) {
	buf := b.Alloc(10)
	defer b.Free(buf)
	b.Fill(backend.Dense(buf, 0, 1, 10), 9)
	b.Write(buf, 2, []float64{1, 2})
	b.WriteF32(buf, 6, []float32{3, 4})
	b.Write(buf, 10, nil)
	all, part := make([]float64, 10), make([]float32, 3)
	b.Read(all, buf, 0)
	b.ReadF32(part, buf, 5)
	require.Equal(t, []float64{9, 9, 1, 2, 9, 9, 3, 4, 9, 9}, all)
	require.Equal(t, []float32{9, 3, 4}, part)
}
