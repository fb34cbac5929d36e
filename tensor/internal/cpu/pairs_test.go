package cpu

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// u16 is the unit round-off of bfloat16.
const u16 = 1.0 / (1 << 9)

// pairSets are the sets that multiply in bfloat16.
func pairSets() (sets []Set) {
	for _, s := range Available() {
		if newKernels(s).pairs != nil {
			sets = append(sets, s)
		}
	}
	return sets
}

// TestTwinRound wants the same bits of all kernels that round.
func TestTwinRound(t *testing.T) {
	for _, s := range pairSets() {
		for _, cols := range twinLengths {
			x := &twins{T: t, rng: newBench(t, nil, 1).rng, n: 3 * (cols + 5)}
			src := x.numbers()
			copy(src, special)
			copy(src[len(src)/2:], []float32{1e-40, -1e-40, math.MaxFloat32, 1 + 1./256, 1 + 3./256, 1 + 1./256 + 1./(1<<20)})
			pitch := pairsOf(cols) + 3
			got, want := make([]uint32, 3*pitch), make([]uint32, 3*pitch)
			newKernels(s).pairs.round(got, src, 3, cols, cols+5, pitch)
			roundPairsGeneric(want, src, 3, cols, cols+5, pitch)
			require.Equal(t, want, got, "%v: %d columns", s, cols)
		}
	}
}

// TestRoundHalf has numbers between two neighbours.
func TestRoundHalf(t *testing.T) {
	for _, c := range []struct{ x, want float32 }{{1, 1}, {1 + 1./256, 1}, {1 + 3./256, 1 + 1./64}, {1 + 1./256 + 1./(1<<20), 1 + 1./128}, {-1 - 3./256, -1 - 1./64}, {1e-40, 0},
		{math.MaxFloat32, float32(math.Inf(1))}} {
		require.Equal(t, c.want, math.Float32frombits(roundHalf(c.x)<<16), c.x)
	}
}

// TestTwinTurn wants the same of all kernels that turn, and what was there first after two turns.
func TestTwinTurn(t *testing.T) {
	for _, s := range pairSets() {
		k := newKernels(s)
		n := k.tileCols * k.tileCols / 2
		src, got, want, back := make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n)
		for i := range src {
			src[i] = uint32(2*i) | uint32(2*i+1)<<16
		}
		k.pairs.turn(got, src)
		turnPairsGeneric(k.tileCols)(want, src)
		k.pairs.turn(back, got)
		require.Equal(t, want, got, "%v", s)
		require.NotEqual(t, src, got, "%v", s)
		require.Equal(t, src, back, "%v", s)
	}
}

// TestTwinPairs compares with sums in float64: the bound is that of TestTwinTile, as products of halves are exact.
func TestTwinPairs(t *testing.T) {
	for _, s := range pairSets() {
		k := newKernels(s)
		for _, depth := range []int{16, 48, 192} {
			for rows := 1; rows <= k.pairs.rows; rows++ {
				t.Run(fmt.Sprintf("%v/%d/%d", s, depth, rows), func(t *testing.T) { tryPairs(t, k, rows, depth) })
			}
		}
	}
}

func tryPairs(t *testing.T, k *kernels, rows, depth int) {
	x := &twins{T: t, rng: newBench(t, nil, uint64(rows)).rng}
	halves := func(n int) []uint32 {
		out := make([]uint32, n)
		for i := range out {
			out[i] = roundHalf(x.rng.Float32()-0.5) | roundHalf(x.rng.Float32()-0.5)<<16
		}
		return out
	}
	n, cr := 1+x.rng.IntN(3*k.tileCols), 4*k.tileCols
	a, b := halves(k.pairs.rows*(depth+16)), halves(blocks(n, k.tileCols)*k.tileCols*depth)
	bias := []float32{}
	for range n * (rows % 2) {
		bias = append(bias, x.rng.Float32())
	}
	for _, beta := range []float32{0, 3} {
		c := make([]float32, rows*cr)
		fill(c, 2)
		if beta == 0 {
			c[0] = float32(math.NaN())
		}
		k.pairs.tile(c, cr, a, depth+16, b, k.tileCols*depth, depth, rows, n, beta, bias, make([]float32, k.pairs.rows*k.tileCols))
		for i := range rows {
			for j := range cr {
				want, size := 2.0, 0.0
				if j < n {
					want = 2 * float64(beta)
					if len(bias) > 0 {
						want += float64(bias[j])
					}
					size = math.Abs(want)
					for l := range depth {
						p, q := a[i*(depth+16)+l], b[j/k.tileCols*k.tileCols*depth+l*k.tileCols+j%k.tileCols]
						for _, shift := range []int{0, 16} {
							v := float64(math.Float32frombits(p>>shift<<16)) * float64(math.Float32frombits(q>>shift<<16))
							want, size = want+v, size+math.Abs(v)
						}
					}
				}
				if got := float64(c[i*cr+j]); !(math.Abs(got-want) <= u*float64(2*depth+3)*size) {
					t.Fatalf("%d columns: element (%d, %d) is %g, expected %g", n, i, j, got, want)
				}
			}
		}
	}
}

// TestPairs compares products with the reference. A number of x is off by u16 of its size, a sum of k products by k·u of their sizes; numbers of a weight are what they are. What is added, in
// float32, is counted among the products.
func TestPairs(t *testing.T) {
	for _, s := range pairSets() {
		for _, threads := range []int{1, 3} {
			t.Run(fmt.Sprintf("%v/%d", s, threads), func(t *testing.T) {
				x := newBench(t, NewSet(threads, s).BF16(), 9)
				for _, d := range [][3]int{{1, 1, 1}, {5, 3, 7}, {67, 35, 41}, {200, 130, 400}, {31, 400, 129}, {300, 96, 800}, {1, 800, 64}, {3, 0, 5}, {3, 5, 0}} {
					tryProducts(x, d[0], d[1], d[2])
				}
			})
		}
	}
}

// tryProducts checks x·Wᵀ + u·vᵀ + bias and dy·W + u·v + dx.
func tryProducts(x *bench, n, out, in int) {
	st := storage(x, backend.BF16, out, in)
	w, rw := x.b.Prepare(st), x.ref.Prepare(st)
	size := backend.Storage{Type: backend.BF16, Rows: out, Cols: in, Data: append([]byte(nil), st.Data...)}
	for i := 1; i < len(size.Data); i += 2 {
		size.Data[i] &= 0x7f
	}
	rs := x.ref.Prepare(size)
	within := func(what string, got, want, bound backend.Mat, k int) {
		x.t.Helper()
		if bound.Rows*bound.Cols == 0 {
			return
		}
		sizes, wants, gots := make([]float64, bound.Buf.Len()), make([]float64, bound.Buf.Len()), make([]float64, bound.Buf.Len())
		x.ref.Read(sizes, bound.Buf, 0)
		x.ref.Read(wants, want.Buf, 0)
		x.b.Read(gots, got.Buf, 0)
		for i := range gots {
			if limit := (u16+float64(k)*u)*math.Abs(sizes[i]) + 1e-30; !(math.Abs(gots[i]-wants[i]) <= limit) {
				x.t.Fatalf("%s %d×%d×%d: number %d is %g, expected %g, not further off than %g", what, n, in, out, i, gots[i], wants[i], limit)
			}
		}
	}
	magnitude := func(m pair) backend.Mat {
		a := m.ref
		a.Buf = x.ref.Alloc(m.ref.Buf.Len())
		all := backend.Dense(m.ref.Buf, 0, 1, m.ref.Buf.Len())
		x.ref.Unary(backend.Abs, backend.Dense(a.Buf, 0, 1, a.Buf.Len()), all)
		return a
	}
	a, y, bias, l, v := x.mat(n, in), x.mat(n, out), x.mat(1, out), x.mat(n, 4), x.mat(out, 4)
	bound, sizeOfBias := magnitude(y), magnitude(bias)
	x.b.MulT(y.cpu, a.cpu, w, backend.Epilogue{Bias: &bias.cpu, Low: &backend.LowRank{U: l.cpu, V: v.cpu}})
	x.ref.MulT(y.ref, a.ref, rw, backend.Epilogue{Bias: &bias.ref, Low: &backend.LowRank{U: l.ref, V: v.ref}})
	x.ref.MulT(bound, magnitude(a), rs, backend.Epilogue{Bias: &sizeOfBias, Low: &backend.LowRank{U: magnitude(l), V: magnitude(v)}})
	within("mulT", y.cpu, y.ref, bound, in+8)

	dy, dx, v2 := x.mat(n, out), x.mat(n, in), x.mat(4, in)
	bound = magnitude(dx)
	x.b.Mul(dx.cpu, dy.cpu, w, &backend.LowRank{U: l.cpu, V: v2.cpu}, 1)
	x.ref.Mul(dx.ref, dy.ref, rw, &backend.LowRank{U: l.ref, V: v2.ref}, 1)
	x.ref.Mul(bound, magnitude(dy), rs, &backend.LowRank{U: magnitude(l), V: magnitude(v2)}, 1)
	within("mul", dx.cpu, dx.ref, bound, out+8)
}

// TestPairsBits wants the same bits for any number of threads, and others than those of exact products: so they were made in bfloat16.
func TestPairsBits(t *testing.T) {
	for _, s := range pairSets() {
		products := func(b *Backend) (y, dx []float32) {
			x := newBench(t, b, 5)
			const n, out, in = 333, 200, 500
			w := b.Prepare(storage(x, backend.BF16, out, in))
			results := [2]backend.Mat{backend.Dense(b.Alloc(n*out), 0, n, out), backend.Dense(b.Alloc(n*in), 0, n, in)}
			b.MulT(results[0], x.mat(n, in).cpu, w, backend.Epilogue{Func: backend.GELU})
			b.Mul(results[1], x.mat(n, out).cpu, w, nil, 0)
			y, dx = make([]float32, n*out), make([]float32, n*in)
			b.ReadF32(y, results[0].Buf, 0)
			b.ReadF32(dx, results[1].Buf, 0)
			return y, dx
		}
		y, dx := products(NewSet(1, s).BF16())
		for _, threads := range []int{2, 3, 5} {
			y2, dx2 := products(NewSet(threads, s).BF16())
			require.Equal(t, y, y2, "%v on %d threads", s, threads)
			require.Equal(t, dx, dx2, "%v on %d threads", s, threads)
		}
		plainY, plainDX := products(NewSet(1, s))
		require.NotEqual(t, plainY, y)
		require.NotEqual(t, plainDX, dx)
	}
}

// TestPairsFast fails if a processor's instructions for bfloat16 are left unused.
func TestPairsFast(t *testing.T) {
	for _, s := range pairSets() {
		k := newKernels(s).pairs
		for _, f := range []any{k.tile, k.round, k.turn} {
			name := strings.ToLower(runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name())
			require.Equal(t, s == Generic, strings.Contains(name, "generic"), "%v: %s", s, name)
		}
	}
	require.True(t, New(1).BF16().bf16 == (New(1).kernels.pairs != nil))
	require.False(t, New(1).bf16, "only where it is asked for")
}
