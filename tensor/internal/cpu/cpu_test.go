package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"peft/tensor/internal/backend"
	"peft/tensor/internal/reference"
)

// forEachSet runs a test for all instruction sets of this processor, with one thread and with three.
func forEachSet(t *testing.T, f func(t *testing.T, b *Backend)) {
	for _, s := range append(ownSets(), Generic) {
		for _, threads := range []int{1, 3} {
			t.Run(fmt.Sprintf("%v/%d", s, threads), func(t *testing.T) { f(t, NewSet(threads, s)) })
		}
	}
}

// A pair is one matrix on both backends.
type pair struct{ cpu, ref backend.Mat }

// A bench makes matrices on a backend and on the reference.
type bench struct {
	t   *testing.T
	b   *Backend
	ref *reference.Backend
	rng *rand.Rand
}

// newBench begins with a seed that it logs.
func newBench(t *testing.T, b *Backend, seed uint64) *bench {
	return &bench{t: t, b: b, ref: reference.New(), rng: rand.New(rand.NewPCG(seed, 1))}
}

// mat makes a matrix of normal numbers in a random layout: dense, a window of a larger one, transposed.
func (x *bench) mat(rows, cols int) pair {
	layout := x.rng.IntN(3)
	m := backend.Mat{Rows: rows, Cols: cols}
	size := 0
	switch layout {
	case 0:
		m.RowStride, m.ColStride, size = cols, 1, rows*cols
	case 1:
		m.Off, m.RowStride, m.ColStride = 3, cols+5, 1
		size = m.Off + rows*m.RowStride
	case 2:
		m.Off, m.RowStride, m.ColStride = 2, 1, rows+3
		size = m.Off + cols*m.ColStride
	}
	return x.fill(m, size, 1)
}

// fill makes the buffers of m.
func (x *bench) fill(m backend.Mat, size int, scale float64) pair {
	data := make([]float32, size)
	wide := make([]float64, size)
	for i := range data {
		data[i] = float32(x.rng.NormFloat64() * scale)
		wide[i] = float64(data[i])
	}
	p := pair{m, m}
	p.cpu.Buf, p.ref.Buf = x.b.Alloc(max(size, 1)), x.ref.Alloc(max(size, 1))
	x.b.WriteF32(p.cpu.Buf, 0, data)
	x.ref.Write(p.ref.Buf, 0, wide)
	return p
}

// same fails unless the backends agree on the whole buffers of the pair, guards included, within tol·(1+|value|).
func (x *bench) same(what string, p pair, tol float64) {
	x.t.Helper()
	n := p.cpu.Buf.Len()
	got, want := make([]float64, n), make([]float64, n)
	x.b.Read(got, p.cpu.Buf, 0)
	x.ref.Read(want, p.ref.Buf, 0)
	for i := range got {
		d := math.Abs(got[i] - want[i])
		if !(d <= tol*(1+math.Abs(want[i]))) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) && got[i] != want[i] {
			x.t.Fatalf("%s: number %d of %d (%d×%d, strides %d, %d): got %g, want %g", what, i, n, p.cpu.Rows, p.cpu.Cols, p.cpu.RowStride, p.cpu.ColStride, got[i], want[i])
		}
	}
}
