package profile

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"peft/tensor"
	"peft/tensor/internal/backend"
	"peft/tensor/internal/backendtest"
	"peft/tensor/internal/cpu"
)

// A profiled backend passes the tests of all backends, and makes the bits of the one that it wraps.
func TestSameBits(t *testing.T) {
	d, report := New(tensor.CPU(1))
	backendtest.Run(t, cpu.New(1), d.Backend)
	names := map[string]bool{}
	for _, op := range report.Ops() {
		names[op.Name] = true
	}
	methods := reflect.TypeFor[backend.Backend]()
	for i := range methods.NumMethod() {
		if name := strings.TrimSuffix(methods.Method(i).Name, "F32"); name != "Name" {
			require.True(t, names[name], "%s is not timed", name)
		}
	}
}

// step is a small training step: a frozen map with low rank beside it, attention, a norm, a function and a loss.
func step(d *tensor.Device, w *tensor.Weight, rows int) {
	l := tensor.Dense{W: d.Param(nil, 8, w8)}
	s := tensor.NewScope(d)
	defer s.Close()
	x := s.Tensor(nil, rows, w8).WithLayout(tensor.NewLayout(rows))
	a, b := s.Use(d.Param(nil, 2, w8)), s.Use(d.Param(nil, w8, 2))
	y := w.Linear(x, tensor.Affine{Low: &tensor.LowRank{X: x, A: a, B: b, Scale: 1}, Func: tensor.GELU})
	y = tensor.Attend(y, y, y, tensor.Attention{Heads: 2, Mask: tensor.Mask{Causal: true}})
	y = tensor.LayerNorm(y, nil, nil, 1e-5)
	labels := make([]int32, rows)
	g := tensor.Backward(tensor.CrossEntropy(l.Linear(y, tensor.Affine{}), labels))
	g.Release()
}

const w8 = 16

// The operations of a step take no longer than the step, and their work is that of the formulas.
func TestStep(t *testing.T) {
	const rows = 32
	d, report := New(tensor.CPU(1))
	w := tensor.WeightOf(make([]float32, w8*w8), w8, w8)
	step(d, w, rows)
	report.Reset()
	begin := time.Now()
	step(d, w, rows)
	took := time.Since(begin)
	total := report.Total()
	require.Positive(t, total.Time)
	require.LessOrEqual(t, total.Time, took)

	work := map[string]int{}
	for _, op := range report.ByName() {
		work[op.Name] = op.Flops
	}
	pairs := rows * (rows + 1) / 2
	require.Equal(t, 2*rows*w8*(w8+2), work["MulT"], "x·Wᵀ + u·Bᵀ")
	require.Zero(t, work["Mul"], "nothing is trained below")
	require.Equal(t, 2*pairs*(w8+w8), work["Attention"], "q·kᵀ and p·v")
	require.Equal(t, 2*pairs*(3*w8+2*w8), work["AttentionGrad"], "q·kᵀ, ds·k and dsᵀ·q, dout·vᵀ and pᵀ·dout")
	low, head := rows*w8*2, rows*w8*8
	require.Equal(t, 2*(4*low+3*head), work["MatMul"], "u, dB, du and dA; the head's logits, dx and dW")
	require.Zero(t, work["LayerNorm"])
}

func TestBytes(t *testing.T) {
	d, report := New(tensor.CPU(1))
	x, y := d.Constant(nil, 10, 6), d.Constant(nil, 1, 6)
	report.Reset()
	tensor.Add(x, y)
	op := report.ByName()
	require.Equal(t, 4*(60+6+60), op[indexOf(op, "Binary")].Bytes, "the row that is repeated is read once")
	report.Reset()
	w, err := tensor.NewWeight(tensor.BF16, 5, 6, make([]byte, 60), nil)
	require.NoError(t, err)
	w.Linear(x, tensor.Affine{})
	op = report.ByName()
	require.Equal(t, 4*60+2*30+4*50, op[indexOf(op, "MulT")].Bytes, "a weight has the size of its storage")
}

func indexOf(ops []Op, name string) int {
	for i, op := range ops {
		if op.Name == name {
			return i
		}
	}
	return -1
}

// Pairs are counted as the reference sees them: windows, positions in any order, keys that are always seen.
func TestPairs(t *testing.T) {
	a := &backend.Attention{QStart: []int32{0, 3}, KStart: []int32{0, 4}, QPos: []int32{0, 1, 2}, KPos: []int32{0, 0, 1, 2}}
	require.Equal(t, 12, pairs(a))
	a.Causal = true
	require.Equal(t, 2+3+4, pairs(a))
	a.Window = 1
	require.Equal(t, 2+1+1, pairs(a))
	a.Always = 1
	require.Equal(t, 2+2+2, pairs(a))
}

func TestMemory(t *testing.T) {
	d, _ := New(tensor.CPU(1))
	x := d.Constant(nil, 100)
	live, peak := d.Memory()
	require.GreaterOrEqual(t, live, int64(400))
	require.GreaterOrEqual(t, peak, live)
	require.Equal(t, 100, x.Len())
	d, _ = New(tensor.Reference())
	live, peak = d.Memory()
	require.Zero(t, live+peak)
}

func TestProbe(t *testing.T) {
	m := Probe(tensor.CPU(2))
	require.Greater(t, m.Flops, 1e8)
	require.Greater(t, m.Bandwidth, 1e7)
}

// The table has a line for each operation and one for its sizes where there are several.
func TestTable(t *testing.T) {
	d, report := New(tensor.CPU(1))
	for n := 1; n <= 2; n++ {
		x := d.Constant(nil, 64*n, 64)
		tensor.MatMulT(x, x)
	}
	var out strings.Builder
	took := 2 * report.Total().Time
	require.NoError(t, report.Table(&out, Machine{Flops: 1e12, Bandwidth: 1e11}, 1, took))
	for _, want := range []string{"  MatMul\n", "    64×64×64\n", "    128×64×128\n", "all operations", " 50.0 % ", "outside of them", "1000.0 GFLOP/s, 100.0 GB/s"} {
		require.Contains(t, out.String(), want)
	}
}
