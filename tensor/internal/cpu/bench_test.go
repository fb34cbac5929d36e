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

// BenchmarkPairs is x·Wᵀ and dy·W for a weight stored as BF16: rows, in, out. The peak is that of float32.
func BenchmarkPairs(b *testing.B) {
	for _, set := range Available() {
		for _, s := range shapes {
			c := NewSet(1, set).BF16()
			w := c.Prepare(backend.Storage{Type: backend.BF16, Rows: s[2], Cols: s[1], Data: make([]byte, 2*s[1]*s[2])})
			x, y := matrix(c, s[0], s[1]), matrix(c, s[0], s[2])
			for name, f := range map[string]func(){"x·Wᵀ": func() { c.MulT(y, x, w, backend.Epilogue{}) }, "dy·W": func() { c.Mul(x, y, w, nil, 0) }} {
				b.Run(fmt.Sprintf("%v/%dx%dx%d/%s", set, s[0], s[1], s[2], name), func(b *testing.B) {
					f()
					for b.Loop() {
						f()
					}
					flops(b, c, 2*float64(s[0]*s[1]*s[2]))
				})
			}
		}
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

// bandwidth reports n bytes read and written an iteration.
func bandwidth(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkKernels is the kernels on numbers that are in the first-level cache, for each instruction set.
func BenchmarkKernels(b *testing.B) {
	const n = 2048
	x, y, z, v := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range x {
		x[i], y[i], z[i], v[i] = float32(i%17)/8-1, float32(i%13)/8-1, 1, 1
	}
	p, g, m := append([]float32(nil), x...), append([]float32(nil), x...), append([]float32(nil), y...)
	src := make([]byte, 2*n)
	c := adamW{gradScale: 1, beta1: 0.9, rest1: 0.1, beta2: 0.99, rest2: 0.01, keep: 1, rate: 1e-9, second: 1, eps: 1}
	for _, s := range Available() {
		k := newKernels(s)
		kernels := []struct {
			name   string
			arrays int // read or written
			f      func()
		}{
			{"add", 3, func() { k.binary[backend.Add](z, x, y) }},
			{"axpby", 3, func() { k.axpby(z, x, 0.5, 0.5) }},
			{"sum", 1, func() { k.sum(x) }},
			{"dot", 2, func() { k.dot(x, y) }},
			{"max", 1, func() { k.max(x) }},
			{"sumSquares", 1, func() { k.sumSquares(x) }},
			{"expSum", 2, func() { k.expSum(z, x, 1, 0) }},
			{"dropout", 2, func() { k.dropout(z, x, 1, 0, 1<<30, 1.5) }},
			{"softmaxRow", 2, func() { copy(z, x); k.softmaxRow(z, 0, 0, 1, 0, 1<<30, 1.5) }},
			{"gradRow", 4, func() { copy(z, x); k.gradRow(z, v, 5, 0, 1, 0, 1<<30, 1.5) }},
			{"normalise", 4, func() { k.normalise(z, x, y, v, 0, 1) }},
			{"normSums", 3, func() { k.normSums(x, y, z, 0, 1) }},
			{"normGrad", 4, func() { k.normGrad(z, x, y, v, 0, 1, 0, 0) }},
			{"normParams", 6, func() { k.normParams(z, v, x, y, 0, 1) }},
			{"adamW", 7, func() { k.adamW(p, g, m, v, &c) }},
			{"fromBF16", 1, func() { k.fromBF16(z, src) }},
			{"fromF16", 1, func() { k.fromF16(z, src) }},
			{"fromI8", 1, func() { k.fromI8(z, src[:n], 0.5) }},
		}
		for f := backend.ReLU; f <= backend.Softplus; f++ {
			kernels = append(kernels, struct {
				name   string
				arrays int
				f      func()
			}{f.String(), 2, func() { k.unary[f](z, x) }}, struct {
				name   string
				arrays int
				f      func()
			}{f.String() + "'", 3, func() { k.slope[f](z, x, y) }})
		}
		for _, kernel := range kernels {
			b.Run(fmt.Sprintf("%v/%s", s, kernel.name), func(b *testing.B) {
				for b.Loop() {
					kernel.f()
				}
				bandwidth(b, 4*n*kernel.arrays)
			})
		}
	}
}

// BenchmarkPasses is operations on matrices larger than the caches: rows of a batch of 16 texts of 128 tokens.
func BenchmarkPasses(b *testing.B) {
	eachTeam(b, func(b *testing.B, c *Backend) {
		const rows, cols = 2048, 384
		x, y, z := matrix(c, rows, cols), matrix(c, rows, cols), matrix(c, rows, cols)
		stats, gain, bias := matrix(c, rows, 2), matrix(c, 1, cols), matrix(c, 1, cols)
		const size = 4 * rows * cols
		for _, p := range []struct {
			name  string
			bytes int
			f     func()
		}{
			{"Axpby", 3 * size, func() { c.Axpby(z, 1, x, 1) }},
			{"Binary", 3 * size, func() { c.Binary(backend.Add, z, x, y, 0) }},
			{"Unary", 2 * size, func() { c.Unary(backend.GELU, z, x) }},
			{"UnaryGrad", 3 * size, func() { c.UnaryGrad(backend.GELU, z, x, x, y, 0) }},
			{"Dropout", 2 * size, func() { c.Dropout(z, x, 0.1, 1, 0) }},
			{"Sum", size, func() { c.Sum(bias, x, 0) }},
			{"LayerNorm", 2 * size, func() { c.LayerNorm(z, stats, x, &gain, &bias, 1e-5) }},
			{"LayerNormGrad", 3 * size, func() { c.LayerNormGrad(&z, nil, nil, y, x, stats, &gain, 0) }},
			{"Softmax", 2 * size, func() { c.Softmax(z, x) }},
		} {
			b.Run(p.name, func(b *testing.B) {
				for b.Loop() {
					p.f()
				}
				bandwidth(b, p.bytes)
			})
		}
	})
}

// BenchmarkAttention is attention and its gradient: texts, tokens, heads, their size. Products of masked scores are counted as well.
func BenchmarkAttention(b *testing.B) {
	for _, s := range [][4]int{{64, 32, 12, 32}, {16, 128, 12, 32}, {8, 128, 12, 64}, {4, 512, 12, 64}} {
		b.Run(fmt.Sprintf("%dx%dx%dx%d", s[0], s[1], s[2], s[3]), func(b *testing.B) {
			eachTeam(b, func(b *testing.B, c *Backend) {
				rows, cols := s[0]*s[1], s[2]*s[3]
				a := backend.Attention{Heads: s[2], KVHeads: s[2], Scale: 0.2, Dropout: 0.1, QPos: make([]int32, rows), KPos: make([]int32, rows)}
				for i := range s[0] + 1 {
					a.QStart = append(a.QStart, int32(i*s[1]))
				}
				a.KStart = a.QStart
				q, k, v, out, lse := matrix(c, rows, cols), matrix(c, rows, cols), matrix(c, rows, cols), matrix(c, rows, cols), matrix(c, rows, s[2])
				dq, dk, dv := matrix(c, rows, cols), matrix(c, rows, cols), matrix(c, rows, cols)
				products := 2 * float64(rows*s[1]*cols)
				b.Run("forward", func(b *testing.B) {
					for b.Loop() {
						c.Attention(out, lse, q, k, v, &a)
					}
					flops(b, c, 2*products)
				})
				b.Run("backward", func(b *testing.B) {
					for b.Loop() {
						c.AttentionGrad(&dq, &dk, &dv, nil, q, q, k, v, out, lse, &a, [3]float64{})
					}
					flops(b, c, 5*products)
				})
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
