package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// u is the unit round-off of float32.
const u = 1.0 / (1 << 24)

var twinLengths = []int{0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129, 1000}

// A twins is a kernel table beside that of plain Go, and numbers for both.
type twins struct {
	*testing.T
	fast, plain *kernels
	rng         *rand.Rand
	n           int
}

// ownSets are the sets that have kernels of float32 numbers of their own.
func ownSets() []Set {
	return slices.DeleteFunc(Available(), func(s Set) bool { return s == Generic || s == AVX512BF16 || s == AMX })
}

// forTwins runs a test for each set that has kernels of its own, and for lengths on both sides of what vectors hold.
func forTwins(t *testing.T, f func(t *twins)) {
	for _, s := range ownSets() {
		for _, n := range twinLengths {
			t.Run(fmt.Sprint(s, "/", n), func(t *testing.T) {
				f(&twins{t, newKernels(s), newKernels(Generic), rand.New(rand.NewPCG(7, uint64(n))), n})
			})
		}
	}
}

// numbers are n normal numbers.
func (t *twins) numbers() []float32 {
	x := make([]float32, t.n)
	for i := range x {
		x[i] = float32(t.rng.NormFloat64() * 3)
	}
	return x
}

// guard is how many numbers around a result must stay as they were.
const guard = 40

// results are what the fast and the plain kernel make of copies of start, which lie between guards.
func (t *twins) results(start []float32, call func(k *kernels, dst []float32)) (got, want []float32) {
	t.Helper()
	run := func(k *kernels) []float32 {
		x := make([]float32, len(start)+2*guard)
		fill(x, 77)
		dst := x[guard : guard+len(start) : guard+len(start)]
		copy(dst, start)
		call(k, dst)
		for i := range guard {
			require.Equal(t, float32(77), x[i], "before the result")
			require.Equal(t, float32(77), x[guard+len(start)+i], "behind the result")
		}
		return dst
	}
	return run(t.fast), run(t.plain)
}

// near checks that numbers differ by no more than their bound.
func (t *twins) near(what string, got, want []float32, bound func(i int) float64) {
	t.Helper()
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		if math.IsNaN(w) && math.IsNaN(g) || g == w {
			continue
		}
		if !(math.Abs(g-w) <= bound(i)) {
			t.Fatalf("%s: number %d of %d is %g, its plain twin has %g: bound %g", what, i, len(want), g, w, bound(i))
		}
	}
}

// exact is near without tolerance.
func (t *twins) exact(what string, got, want []float32) {
	t.Helper()
	t.near(what, got, want, func(int) float64 { return 0 })
}

func (t *twins) number(what string, got, want, bound float64) {
	t.Helper()
	require.InDelta(t, want, got, bound+math.SmallestNonzeroFloat32, what)
}

var special = []float32{0, 1, -1, 20, -20, 87, -87, 89, -89, 1e4, -1e4, 1e30, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}

func TestTwinUnary(t *testing.T) {
	forTwins(t, func(t *twins) {
		for f := backend.Identity; f <= backend.Softplus; f++ {
			x, dy := t.numbers(), t.numbers()
			if t.n >= 100 {
				copy(x, special)
			}
			got, want := t.results(x, func(k *kernels, dst []float32) { k.unary[f](dst, x) })
			t.near(f.String(), got, want, func(i int) float64 { // a few roundings of the value; gates are off by some of 1
				if math.IsInf(float64(x[i]), 0) && want[i] != want[i] {
					return math.Inf(1)
				}
				return u*(8*math.Abs(float64(x[i]))+8*math.Abs(float64(want[i]))) + 1e-37
			})
			if t.n >= 100 {
				copy(x, []float32{0, 1, -1, 10, -10, 30, -30, 80, -80, 1e4, -1e4})
			}
			got, want = t.results(x, func(k *kernels, dst []float32) { k.slope[f](dst, x, dy) })
			t.near(f.String()+"'", got, want, func(i int) float64 { return u * (16*math.Abs(float64(dy[i])) + 4*math.Abs(float64(want[i]))) })
		}
	})
}

func TestTwinElementwise(t *testing.T) {
	forTwins(t, func(t *twins) {
		x, y, z := t.numbers(), t.numbers(), t.numbers()
		for op := backend.Add; op <= backend.Max; op++ {
			got, want := t.results(z, func(k *kernels, dst []float32) { k.binary[op](dst, x, y) })
			t.exact(fmt.Sprint("binary ", op), got, want)
		}
		for _, b := range []float32{0, 1, -0.3} {
			got, want := t.results(z, func(k *kernels, dst []float32) { k.axpby(dst, x, 0.7, b) })
			t.near("axpby", got, want, func(i int) float64 { return 3 * u * (0.7*math.Abs(float64(x[i])) + math.Abs(float64(b*z[i]))) })
		}
		got, want := t.results(z, func(k *kernels, dst []float32) { k.slopeSoftmax(dst, x, y, 0.5) })
		t.near("slope of softmax", got, want, func(i int) float64 { return 2 * u * math.Abs(float64(want[i])) })
		got, want = t.results(z, func(k *kernels, dst []float32) { k.dropout(dst, x, 12345, 67, backend.Threshold(0.3), 1.25) })
		t.exact("dropout", got, want)
		for _, first := range []bool{true, false} {
			got, want = t.results(z, func(k *kernels, dst []float32) {
				rest := make([]float32, t.n)
				if first {
					k.rotate(dst, rest, x, y, z, x)
				} else {
					k.rotate(rest, dst, x, y, x, y)
				}
			})
			t.near("rotate", got, want, func(i int) float64 {
				return 3 * u * (math.Abs(float64(x[i])) + math.Abs(float64(y[i]))) * (math.Abs(float64(x[i])) + math.Abs(float64(y[i])) + math.Abs(float64(z[i])))
			})
		}
	})
}

// magnitude is Σ |f(i)|.
func (t *twins) magnitude(f func(i int) float64) float64 {
	sum := 0.0
	for i := range t.n {
		sum += math.Abs(f(i))
	}
	return sum
}

func TestTwinReductions(t *testing.T) {
	forTwins(t, func(t *twins) {
		x, y := t.numbers(), t.numbers()
		n := float64(t.n + 2)
		at := func(x []float32) func(i int) float64 { return func(i int) float64 { return float64(x[i]) } }
		t.number("sum", float64(t.fast.sum(x)), float64(t.plain.sum(x)), 2*n*u*t.magnitude(at(x)))
		t.number("dot", float64(t.fast.dot(x, y)), float64(t.plain.dot(x, y)), 2*n*u*t.magnitude(func(i int) float64 { return float64(x[i] * y[i]) }))
		square := func(i int) float64 { return float64(x[i]) * float64(x[i]) }
		t.number("squares", t.fast.sumSquares(x), t.plain.sumSquares(x), 2*n*u*u*t.magnitude(square))
		t.number("deviation", float64(t.fast.deviation(x, 0.5)), float64(t.plain.deviation(x, 0.5)), 2*n*u*t.magnitude(func(i int) float64 { return math.Pow(float64(x[i])-0.5, 2) }))
		require.Equal(t, t.plain.max(x), t.fast.max(x), "maximum")
		if t.n > 0 {
			x[t.n/2] = float32(math.NaN())
			require.True(t, math.IsNaN(float64(t.fast.max(x))), "maximum with NaN")
			x[t.n/2] = float32(math.Inf(-1))
		}
		var sums [2]float32
		i := 0
		got, want := t.results(y, func(k *kernels, dst []float32) { sums[i], i = k.expSum(dst, x, 1, 2), i+1 })
		t.near("exp", got, want, func(i int) float64 { return 6*u*float64(want[i]) + 2*u*math.Abs(float64(x[i]))*float64(want[i]) })
		t.number("sum of exp", float64(sums[0]), float64(sums[1]), (n+30)*u*float64(sums[1]))
	})
}

func TestTwinNorms(t *testing.T) {
	forTwins(t, func(t *twins) {
		x, dy, z := t.numbers(), t.numbers(), t.numbers()
		const mean, r = 0.3, 0.8
		for there := range 4 {
			var gain, bias []float32
			if there&1 > 0 {
				gain = t.numbers()
			}
			if there&2 > 0 {
				bias = t.numbers()
			}
			size := func(i int) float64 { // of what is added up, at most
				g, b := 1.0, 0.0
				if gain != nil {
					g += math.Abs(float64(gain[i]))
				}
				if bias != nil {
					b = math.Abs(float64(bias[i]))
				}
				return g*(math.Abs(float64(x[i]))+1)*(math.Abs(float64(dy[i]))+1) + b + math.Abs(float64(z[i]))
			}
			bound := func(i int) float64 { return 8 * u * size(i) }
			got, want := t.results(z, func(k *kernels, dst []float32) { k.normalise(dst, x, gain, bias, mean, r) })
			t.near("normalise", got, want, bound)
			got, want = t.results(z, func(k *kernels, dst []float32) { k.normGrad(dst, x, dy, gain, mean, r, 0.1, 0.2) })
			t.near("gradient", got, want, bound)
			a, b := t.fast.normSums(x, dy, gain, mean, r)
			c, d := t.plain.normSums(x, dy, gain, mean, r)
			whole := 2 * float64(t.n+8) * u * t.magnitude(size)
			t.number("Σ t", float64(a), float64(c), whole)
			t.number("Σ t·n", float64(b), float64(d), whole)
			got, want = t.results(z, func(k *kernels, dst []float32) { k.normParams(pick(dst, there&1 > 0), nil, x, dy, mean, r) })
			t.near("gain", got, want, bound)
			got, want = t.results(z, func(k *kernels, dst []float32) { k.normParams(nil, pick(dst, there&2 > 0), x, dy, mean, r) })
			t.near("bias", got, want, bound)
			got, want = t.results(z, func(k *kernels, dst []float32) { k.normParams(dst, append([]float32(nil), z...), x, dy, mean, r) })
			t.near("gain and bias", got, want, bound)
		}
	})
}

// pick is x, or nothing.
func pick(x []float32, there bool) []float32 {
	if there {
		return x
	}
	return nil
}

func TestTwinAdamW(t *testing.T) {
	forTwins(t, func(t *twins) {
		c := adamW{gradScale: 0.5, beta1: 0.9, rest1: 0.1, beta2: 0.99, rest2: 0.01, keep: 0.999, rate: 0.1, second: 1.5, eps: 1e-3}
		p, g, m, v := t.numbers(), t.numbers(), t.numbers(), t.numbers()
		t.plain.unary[backend.Square](v, v)
		size := func(i int) float64 {
			return math.Abs(float64(p[i])) + 0.1*(math.Abs(float64(m[i]))+math.Abs(float64(g[i])))/(math.Sqrt(float64(v[i]))+1e-3)
		}
		clone := func(x []float32) []float32 { return append([]float32(nil), x...) }
		got, want := t.results(p, func(k *kernels, dst []float32) { k.adamW(dst, g, clone(m), clone(v), &c) })
		t.near("p", got, want, func(i int) float64 { return 16 * u * size(i) })
		got, want = t.results(m, func(k *kernels, dst []float32) { k.adamW(clone(p), g, dst, clone(v), &c) })
		t.near("m", got, want, func(i int) float64 { return 4 * u * (math.Abs(float64(m[i])) + math.Abs(float64(g[i]))) })
		got, want = t.results(v, func(k *kernels, dst []float32) { k.adamW(clone(p), g, clone(m), dst, &c) })
		t.near("v", got, want, func(i int) float64 { return 6 * u * float64(want[i]) })
	})
}

func TestTwinWiden(t *testing.T) {
	forTwins(t, func(t *twins) {
		src := make([]byte, 2*t.n)
		for i := range src {
			src[i] = byte(t.rng.IntN(256))
		}
		got, want := t.results(t.numbers(), func(k *kernels, dst []float32) { k.fromBF16(dst, src) })
		t.exact("bfloat16", got, want)
		got, want = t.results(t.numbers(), func(k *kernels, dst []float32) { k.fromF16(dst, src) })
		t.exact("binary16", got, want)
		got, want = t.results(t.numbers(), func(k *kernels, dst []float32) { k.fromI8(dst, src[:t.n], 0.01) })
		t.exact("int8", got, want)
	})
}

func TestTwinPack(t *testing.T) {
	forTwins(t, func(t *twins) {
		for _, rows := range []int{1, t.fast.tileCols / 2, t.fast.tileCols/2 + 1, t.fast.tileCols - 1, t.fast.tileCols} {
			stride := t.n + 3
			src := make([]float32, rows*stride)
			for i := range src {
				src[i] = float32(i + 1)
			}
			got, want := make([]float32, t.n*t.fast.tileCols), make([]float32, t.n*t.fast.tileCols)
			fill(got, -1)
			t.fast.pack(got, src[:max(rows*stride-3, 0)], rows, t.n, stride)
			packGeneric(t.fast.tileCols)(want, src, rows, t.n, stride)
			t.exact("pack", got, want)
			for _, pitch := range []int{t.fast.rowPitch, t.fast.tileCols} {
				cols := min(rows, pitch)
				got, want := make([]float32, t.n*pitch), make([]float32, t.n*pitch)
				fill(got, -1)
				x := make([]float32, t.n*(cols+2))
				for i := range x {
					x[i] = float32(i + 1)
				}
				t.fast.stack(got, x, t.n, cols, cols+2, pitch)
				stackGeneric(want, x, t.n, cols, cols+2, pitch)
				t.exact("stack", got, want)
			}
		}
	})
}

// TestTwinTile compares with sums in float64: the bound is k·u·Σ|a||b| for each of the k terms of a sum.
func TestTwinTile(t *testing.T) {
	forTwins(t, func(t *twins) {
		k, depth := t.fast, t.n
		for rows := 1; rows <= k.tileRows; rows++ {
			n := 1 + t.rng.IntN(3*k.tileCols)
			panels := blocks(n, k.tileCols)
			b := make([]float32, panels*k.tileCols*depth)
			for i := range b {
				b[i] = t.rng.Float32() - 0.5
			}
			a := make([]float32, (depth+16)*(depth+16)+3*k.tileCols)
			for i := range a {
				a[i] = t.rng.Float32() - 0.5
			}
			bias := a[:n]
			if rows%2 == 0 {
				bias = nil
			}
			for _, layout := range [][2]int{{depth + 2, 1}, {1, 16}} {
				cr := n + 5
				c := make([]float32, rows*cr)
				fill(c, 2)
				k.tile[rows](c, cr, a, layout[0], layout[1], b, k.tileCols, k.tileCols*depth, depth, n, 0.5, 3, bias, a, 0)
				for i := range rows {
					for j := range cr {
						want, size := 2.0, 0.0
						if j < n {
							want = 6
							if bias != nil {
								want += float64(bias[j])
							}
							for l := range depth {
								v := float64(a[i*layout[0]+l*layout[1]]) * float64(b[j/k.tileCols*k.tileCols*depth+l*k.tileCols+j%k.tileCols])
								want += 0.5 * v
								size += math.Abs(0.5 * v)
							}
						}
						require.InDelta(t, want, c[i*cr+j], u*(float64(depth+2)*size+12), "%d rows, %d columns: element (%d, %d)", rows, n, i, j)
					}
				}
			}
		}
	})
}

func TestTwinAttention(t *testing.T) {
	forTwins(t, func(t *twins) {
		x, e := t.numbers(), t.numbers()
		for _, threshold := range []uint32{0, backend.Threshold(0.3)} {
			var state [2][3]float32
			i := 0
			got, want := t.results(x, func(k *kernels, dst []float32) {
				state[i][0], state[i][1], state[i][2] = k.softmaxRow(dst, 0.5, 2, 99, 7, threshold, 1.5)
				i++
			})
			n := float64(t.n + 40)
			t.near("softmax", got, want, func(i int) float64 { return 8*u*float64(want[i]) + 4*u*math.Abs(float64(x[i]))*float64(want[i]) })
			require.Equal(t, state[1][0], state[0][0], "largest")
			t.number("total", float64(state[0][1]), float64(state[1][1]), n*u*float64(state[1][1]))
			t.number("factor", float64(state[0][2]), float64(state[1][2]), 8*u)
			bound := func(i int) float64 {
				return 32 * u * math.Exp(float64(x[i])-2) * (1 + math.Abs(float64(x[i]))) * (1.5*math.Abs(float64(e[i])) + 1)
			}
			got, want = t.results(x, func(k *kernels, dst []float32) {
				k.gradRow(dst, append([]float32(nil), e...), 2, 0.25, 99, 7, threshold, 1.5)
			})
			t.near("weights", got, want, bound)
			got, want = t.results(e, func(k *kernels, dst []float32) {
				k.gradRow(append([]float32(nil), x...), dst, 2, 0.25, 99, 7, threshold, 1.5)
			})
			t.near("gradient of scores", got, want, bound)
		}
		top, total, factor := t.fast.softmaxRow([]float32{float32(math.Inf(-1))}, float32(math.Inf(-1)), 0, 0, 0, 0, 1)
		require.Equal(t, []float32{float32(math.Inf(-1)), 0, 0}, []float32{top, total, factor}, "nothing is seen")
	})
}
