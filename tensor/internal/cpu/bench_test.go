package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"peft/tensor/internal/backend"
)

// flops reports n floating point operations an iteration, in billions a second and as a fraction of what all threads can do at most.
func flops(b *testing.B, c *Backend, n float64) {
	rate := n * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(rate/(float64(c.Threads())*c.Flops()), "of-peak")
	b.ReportMetric(0, "ns/op")
}

// matrix is a dense matrix of random numbers.
func matrix(c *Backend, rows, cols int) backend.Mat {
	m := backend.Dense(c.Alloc(rows*cols), 0, rows, cols)
	x := make([]float32, rows*cols)
	rng := rand.New(rand.NewPCG(1, uint64(rows*cols)))
	for i := range x {
		x[i] = rng.Float32() - 0.5
	}
	c.WriteF32(m.Buf, 0, x)
	return m
}

// weightOf prepares W [out×in].
func weightOf(c *Backend, out, in int) backend.Weight {
	data := make([]byte, 4*out*in)
	for i := 3; i < len(data); i += 4 {
		data[i] = 0x3c
	}
	return c.Prepare(backend.Storage{Type: backend.F32, Rows: out, Cols: in, Data: data})
}

// eachTeam runs a benchmark on one thread and on two.
func eachTeam(b *testing.B, f func(b *testing.B, c *Backend)) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("%d", threads), func(b *testing.B) { f(b, New(threads)) })
	}
}

var shapes = [][3]int{{2048, 384, 384}, {2048, 384, 1536}, {2048, 1536, 384}, {1024, 768, 3072}, {1024, 3072, 768}}

// BenchmarkMulT is x·Wᵀ: rows, in, out.
func BenchmarkMulT(b *testing.B) {
	for _, s := range shapes {
		b.Run(fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]), func(b *testing.B) {
			eachTeam(b, func(b *testing.B, c *Backend) {
				x, y, w := matrix(c, s[0], s[1]), matrix(c, s[0], s[2]), weightOf(c, s[2], s[1])
				c.MulT(y, x, w, backend.Epilogue{})
				for b.Loop() {
					c.MulT(y, x, w, backend.Epilogue{})
				}
				flops(b, c, 2*float64(s[0]*s[1]*s[2]))
			})
		})
	}
}

// BenchmarkMul is dy·W: rows, out, in.
func BenchmarkMul(b *testing.B) {
	for _, s := range shapes {
		b.Run(fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]), func(b *testing.B) {
			eachTeam(b, func(b *testing.B, c *Backend) {
				dy, dx, w := matrix(c, s[0], s[1]), matrix(c, s[0], s[2]), weightOf(c, s[1], s[2])
				for b.Loop() {
					c.Mul(dx, dy, w, nil, 0)
				}
				flops(b, c, 2*float64(s[0]*s[1]*s[2]))
			})
		})
	}
}

// BenchmarkMatMul is products of dense matrices: x·Wᵀ, dy·W and dyᵀ·x of a linear map, and those of low rank.
func BenchmarkMatMul(b *testing.B) {
	type form struct {
		name    string
		m, k, n int
		ta, tb  bool
	}
	var forms []form
	for _, s := range [][3]int{{2048, 384, 1536}, {2048, 1536, 384}, {1024, 768, 3072}} {
		forms = append(forms, form{"x·Wᵀ", s[0], s[1], s[2], false, true}, form{"dy·W", s[0], s[2], s[1], false, false}, form{"dyᵀ·x", s[2], s[0], s[1], true, false})
	}
	for _, r := range []int{1, 4, 8, 16, 64} {
		forms = append(forms, form{"x·Aᵀ", 2048, 384, r, false, true}, form{"z·Bᵀ", 2048, r, 384, false, true}, form{"dy·B", 2048, 384, r, false, false}, form{"dz·A", 2048, r, 384, false, false},
			form{"dzᵀ·x", r, 2048, 384, true, false}, form{"dyᵀ·z", 384, 2048, r, true, false})
	}
	for _, f := range forms {
		b.Run(fmt.Sprintf("%s/%dx%dx%d", f.name, f.m, f.k, f.n), func(b *testing.B) {
			eachTeam(b, func(b *testing.B, c *Backend) {
				x, y, z := matrix(c, f.m, f.k), matrix(c, f.k, f.n), matrix(c, f.m, f.n)
				if f.ta {
					x = matrix(c, f.k, f.m).T()
				}
				if f.tb {
					y = matrix(c, f.n, f.k).T()
				}
				for b.Loop() {
					c.MatMul(z, x, y, 1, 0)
				}
				flops(b, c, 2*float64(f.m*f.k*f.n))
			})
		})
	}
}

// BenchmarkPeak is the peak of one thread by which the others are measured.
func BenchmarkPeak(b *testing.B) {
	c := New(1)
	peak := 0.0
	for b.Loop() {
		peak = max(peak, c.Flops())
	}
	b.ReportMetric(peak/1e9, "GFLOP/s")
}
