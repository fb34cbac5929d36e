package cpu

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"peft/tensor/internal/backend"
)

var testSizes = [][2]int{{1, 1}, {1, 7}, {5, 1}, {3, 16}, {17, 33}, {70, 48}, {130, 67}, {2, 5000}, {3000, 2}}

func TestElementwise(t *testing.T) {
	forEachSet(t, func(t *testing.T, b *Backend) {
		x := newBench(t, b, 1)
		for _, s := range testSizes {
			for range 3 {
				a, c, d := x.mat(s[0], s[1]), x.mat(s[0], s[1]), x.mat(s[0], s[1])
				beta := float64(x.rng.IntN(2))
				b.Axpby(d.cpu, 2.5, a.cpu, beta)
				x.ref.Axpby(d.ref, 2.5, a.ref, beta)
				x.same("axpby", d, 1e-6)
				for op := backend.Add; op <= backend.Max; op++ {
					if op == backend.Div {
						continue
					}
					b.Binary(op, d.cpu, a.cpu, c.cpu, beta)
					x.ref.Binary(op, d.ref, a.ref, c.ref, beta)
					x.same(fmt.Sprint("binary ", op), d, 1e-5)
				}
				b.Dropout(d.cpu, a.cpu, 0.3, 77, beta)
				x.ref.Dropout(d.ref, a.ref, 0.3, 77, beta)
				x.same("dropout", d, 1e-5)
				one := [][2]int{{1, s[1]}, {s[0], 1}, {1, 1}, s}[x.rng.IntN(4)]
				e := x.mat(one[0], one[1])
				b.Sum(e.cpu, a.cpu, beta)
				x.ref.Sum(e.ref, a.ref, beta)
				x.same("sum", e, 1e-6*math.Sqrt(float64(s[0]*s[1]))*10)
				if got, want := b.SumSquares(a.cpu), x.ref.SumSquares(a.ref); math.Abs(got-want) > 1e-9*want {
					t.Fatalf("sum of squares: got %g, want %g", got, want)
				}
			}
		}
	})
}

func TestUnary(t *testing.T) {
	forEachSet(t, func(t *testing.T, b *Backend) {
		x := newBench(t, b, 2)
		for f := backend.Identity; f <= backend.Softplus; f++ {
			for _, s := range testSizes {
				a, y, dy, dx := x.mat(s[0], s[1]), x.mat(s[0], s[1]), x.mat(s[0], s[1]), x.mat(s[0], s[1])
				if f == backend.Log || f == backend.Sqrt || f == backend.Reciprocal {
					b.Unary(backend.Abs, a.cpu, a.cpu)
					x.ref.Unary(backend.Abs, a.ref, a.ref)
					m := x.mat(1, 1)
					b.Fill(m.cpu, 0.1)
					x.ref.Fill(m.ref, float64(float32(0.1)))
					one := func(m backend.Mat) backend.Mat { m.Rows, m.Cols, m.RowStride, m.ColStride = s[0], s[1], 0, 0; return m }
					b.Binary(backend.Add, a.cpu, a.cpu, one(m.cpu), 0)
					x.ref.Binary(backend.Add, a.ref, a.ref, one(m.ref), 0)
				}
				b.Unary(f, y.cpu, a.cpu)
				x.ref.Unary(f, y.ref, a.ref)
				x.same(f.String(), y, 2e-6)
				b.UnaryGrad(f, dx.cpu, a.cpu, y.cpu, dy.cpu, 1)
				x.ref.UnaryGrad(f, dx.ref, a.ref, y.ref, dy.ref, 1)
				x.same(f.String()+"'", dx, 2e-5)
			}
		}
	})
}

func TestMatMul(t *testing.T) {
	forEachSet(t, func(t *testing.T, b *Backend) {
		x := newBench(t, b, 3)
		sizes := [][3]int{{1, 1, 1}, {3, 5, 0}, {15, 31, 17}, {64, 8, 50}, {8, 64, 50}, {70, 70, 8}, {100, 200, 400}, {29, 97, 800}, {600, 33, 20}}
		for range 20 {
			sizes = append(sizes, [3]int{1 + x.rng.IntN(80), 1 + x.rng.IntN(80), 1 + x.rng.IntN(80)})
		}
		for _, s := range sizes {
			for range 3 {
				c, a, e := x.mat(s[0], s[1]), x.mat(s[0], s[2]), x.mat(s[2], s[1])
				beta := [...]float64{0, 1, 0.5}[x.rng.IntN(3)]
				b.MatMul(c.cpu, a.cpu, e.cpu, 1.5, beta)
				x.ref.MatMul(c.ref, a.ref, e.ref, 1.5, beta)
				x.same(fmt.Sprint("matmul ", s), c, 1e-6*float64(s[2]+1))
			}
		}
	})
}

func storage(x *bench, typ backend.DType, rows, cols int) backend.Storage {
	s := backend.Storage{Type: typ, Rows: rows, Cols: cols, Data: make([]byte, rows*cols*typ.Size())}
	for i := range rows * cols {
		v := x.rng.NormFloat64()
		switch typ {
		case backend.F32:
			binary.LittleEndian.PutUint32(s.Data[4*i:], math.Float32bits(float32(v)))
		case backend.F64:
			binary.LittleEndian.PutUint64(s.Data[8*i:], math.Float64bits(float64(float32(v))))
		case backend.BF16:
			binary.LittleEndian.PutUint16(s.Data[2*i:], uint16(math.Float32bits(float32(v))>>16))
		case backend.F16:
			binary.LittleEndian.PutUint16(s.Data[2*i:], uint16(x.rng.IntN(31<<10)>>x.rng.IntN(3)|x.rng.IntN(2)<<15)%0x4c00)
		case backend.I8:
			s.Data[i] = byte(x.rng.IntN(256))
		}
	}
	if typ == backend.I8 {
		s.Scale = make([]float32, rows)
		for i := range s.Scale {
			s.Scale[i] = 0.01 + x.rng.Float32()*0.01
		}
	}
	return s
}

func TestWeight(t *testing.T) {
	forEachSet(t, func(t *testing.T, b *Backend) {
		x := newBench(t, b, 4)
		for _, typ := range []backend.DType{backend.F32, backend.F64, backend.BF16, backend.F16, backend.I8} {
			for _, s := range [][3]int{{1, 1, 1}, {5, 3, 7}, {67, 35, 41}, {200, 130, 400}, {31, 400, 129}} {
				n, out, in := s[0], s[1], s[2]
				st := storage(x, typ, out, in)
				w, rw := b.Prepare(st), x.ref.Prepare(st)
				xx, y, pre, bias, u, v := x.mat(n, in), x.mat(n, out), x.mat(n, out), x.mat(1, out), x.mat(n, 4), x.mat(out, 4)
				e := backend.Epilogue{Bias: &bias.cpu, Pre: &pre.cpu, Low: &backend.LowRank{U: u.cpu, V: v.cpu}, Func: backend.GELU}
				re := backend.Epilogue{Bias: &bias.ref, Pre: &pre.ref, Low: &backend.LowRank{U: u.ref, V: v.ref}, Func: backend.GELU}
				if x.rng.IntN(3) == 0 {
					e, re = backend.Epilogue{}, backend.Epilogue{}
				}
				tol := 1e-5 * float64(in)
				b.MulT(y.cpu, xx.cpu, w, e)
				x.ref.MulT(y.ref, xx.ref, rw, re)
				x.same("mulT", y, tol)
				x.same("pre", pre, tol)
				dx, low, v2 := x.mat(n, in), x.mat(n, 3), x.mat(3, in)
				b.Mul(dx.cpu, y.cpu, w, &backend.LowRank{U: low.cpu, V: v2.cpu}, 1)
				x.ref.Mul(dx.ref, y.ref, rw, &backend.LowRank{U: low.ref, V: v2.ref}, 1)
				x.same("mul", dx, tol*100)
				ids := []int32{0, int32(out - 1), int32(out / 2)}
				g := x.mat(3, in)
				b.Gather(g.cpu, w, ids)
				x.ref.Gather(g.ref, rw, ids)
				x.same("gather", g, 1e-6)
				d := x.mat(out, in)
				b.Dequantize(d.cpu, w)
				x.ref.Dequantize(d.ref, rw)
				x.same("dequantize", d, 1e-6)
			}
		}
	})
}

func TestNorms(t *testing.T) {
	forEachSet(t, func(t *testing.T, b *Backend) {
		x := newBench(t, b, 5)
		for _, s := range testSizes {
			for range 3 {
				a, y, stats, gain, bias := x.mat(s[0], s[1]), x.mat(s[0], s[1]), x.mat(s[0], 2), x.mat(1, s[1]), x.mat(1, s[1])
				dy, dx, dg, db := x.mat(s[0], s[1]), x.mat(s[0], s[1]), x.mat(1, s[1]), x.mat(1, s[1])
				beta := float64(x.rng.IntN(2))
				b.LayerNorm(y.cpu, stats.cpu, a.cpu, &gain.cpu, &bias.cpu, 0.5)
				x.ref.LayerNorm(y.ref, stats.ref, a.ref, &gain.ref, &bias.ref, 0.5)
				x.same("layer norm", y, 1e-5)
				x.same("stats", stats, 1e-5)
				b.LayerNormGrad(&dx.cpu, &dg.cpu, &db.cpu, dy.cpu, a.cpu, stats.cpu, &gain.cpu, beta)
				x.ref.LayerNormGrad(&dx.ref, &dg.ref, &db.ref, dy.ref, a.ref, stats.ref, &gain.ref, beta)
				tol := 1e-6 * float64(s[0]+100)
				x.same("dx", dx, 1e-4)
				x.same("dgain", dg, tol)
				x.same("dbias", db, tol)
				r := x.mat(s[0], 1)
				b.RMSNorm(y.cpu, r.cpu, a.cpu, &gain.cpu, 0.5)
				x.ref.RMSNorm(y.ref, r.ref, a.ref, &gain.ref, 0.5)
				x.same("rms norm", y, 1e-5)
				b.RMSNormGrad(&dx.cpu, &dg.cpu, dy.cpu, a.cpu, r.cpu, nil, beta)
				x.ref.RMSNormGrad(&dx.ref, &dg.ref, dy.ref, a.ref, r.ref, nil, beta)
				x.same("rms dx", dx, 1e-4)
				x.same("rms dgain", dg, tol*2)
				b.Softmax(y.cpu, a.cpu)
				x.ref.Softmax(y.ref, a.ref)
				x.same("softmax", y, 1e-5)
				b.SoftmaxGrad(dx.cpu, y.cpu, dy.cpu, beta)
				x.ref.SoftmaxGrad(dx.ref, y.ref, dy.ref, beta)
				x.same("softmax dx", dx, 1e-4)
				label := make([]int32, s[0])
				for i := range label {
					label[i] = int32(x.rng.IntN(s[1]+1) - 1)
				}
				loss, lse, dl := x.mat(s[0], 1), x.mat(s[0], 1), x.mat(s[0], 1)
				b.CrossEntropy(loss.cpu, lse.cpu, a.cpu, label)
				x.ref.CrossEntropy(loss.ref, lse.ref, a.ref, label)
				x.same("loss", loss, 1e-5)
				x.same("lse", lse, 1e-5)
				b.CrossEntropyGrad(dx.cpu, a.cpu, lse.cpu, dl.cpu, label, beta)
				x.ref.CrossEntropyGrad(dx.ref, a.ref, lse.ref, dl.ref, label, beta)
				x.same("dlogits", dx, 1e-4)
			}
		}
	})
}

func TestRows(t *testing.T) {
	forEachSet(t, func(t *testing.T, b *Backend) {
		x := newBench(t, b, 6)
		for range 20 {
			n, m, d := 1+x.rng.IntN(200), 1+x.rng.IntN(300), 2*(1+x.rng.IntN(40))
			idx, scale := make([]int32, n), make([]float32, n)
			for i := range idx {
				idx[i], scale[i] = int32(x.rng.IntN(m+1)-1), x.rng.Float32()
			}
			beta := float64(x.rng.IntN(2))
			big, small := x.mat(m, d), x.mat(n, d)
			b.GatherRows(small.cpu, big.cpu, idx, scale, beta)
			x.ref.GatherRows(small.ref, big.ref, idx, scale, beta)
			x.same("gather rows", small, 1e-5)
			b.ScatterRows(big.cpu, small.cpu, idx, scale)
			x.ref.ScatterRows(big.ref, small.ref, idx, scale)
			x.same("scatter rows", big, 1e-4)
			start := []int32{0, int32(m / 3), int32(m / 3), int32(m)}
			sum := x.mat(3, d)
			b.SegmentSum(sum.cpu, big.cpu, start, []float32{1, 2, 0.5}, beta)
			x.ref.SegmentSum(sum.ref, big.ref, start, []float32{1, 2, 0.5}, beta)
			x.same("segment sum", sum, 1e-3)
			r := &backend.Rotary{Heads: 2, Dim: d / 2 &^ 1, Freq: make([]float64, d/4), Scale: 1.5, Pos: make([]int32, n), Interleaved: x.rng.IntN(2) == 0}
			far := x.rng.IntN(2)
			for i := range r.Pos {
				r.Pos[i] = int32(i*(1+50*far) + x.rng.IntN(2))
			}
			for i := range r.Freq {
				r.Freq[i] = 1 / float64(1+i*i)
			}
			y := x.mat(n, d)
			inverse := x.rng.IntN(2) == 0
			b.Rotate(y.cpu, small.cpu, r, inverse, beta)
			x.ref.Rotate(y.ref, small.ref, r, inverse, beta)
			x.same("rotate", y, 1e-4)
		}
	})
}

func TestAdamW(t *testing.T) {
	forEachSet(t, func(t *testing.T, b *Backend) {
		x := newBench(t, b, 7)
		for _, n := range []int{1, 15, 100, 40000} {
			m := backend.Mat{Rows: 1, Cols: n, RowStride: n, ColStride: 1}
			p, g, m1, v := x.fill(m, n, 1), x.fill(m, n, 1), x.fill(m, n, 1), x.fill(m, n, 1)
			b.Unary(backend.Square, v.cpu, v.cpu)
			x.ref.Unary(backend.Square, v.ref, v.ref)
			for step := 1; step < 4; step++ {
				s := backend.AdamW{LR: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.1, GradScale: 0.5, Step: step}
				b.AdamW(p.cpu, g.cpu, m1.cpu, v.cpu, s)
				x.ref.AdamW(p.ref, g.ref, m1.ref, v.ref, s)
			}
			x.same("p", p, 1e-4)
			x.same("m", m1, 1e-5)
			x.same("v", v, 1e-5)
		}
	})
}
