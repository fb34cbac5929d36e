package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// TestSteady: in steady state operations allocate nothing, on one thread and on several.
func TestSteady(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget at random")
	}
	for _, threads := range []int{1, 3} {
		c := New(threads)
		x, y, z, w := matrix(c, 300, 96), matrix(c, 300, 96), matrix(c, 300, 96), weightOf(c, 96, 96)
		square := matrix(c, 96, 96)
		stats, gain, lse := matrix(c, 300, 2), matrix(c, 1, 96), matrix(c, 300, 3)
		u, v := matrix(c, 300, 8), matrix(c, 96, 8)
		a := &backend.Attention{Heads: 3, KVHeads: 3, Scale: 1, QStart: []int32{0, 100, 300}, KStart: []int32{0, 100, 300}, QPos: make([]int32, 300), KPos: make([]int32, 300)}
		low := &backend.LowRank{U: u, V: v}
		lowBack := &backend.LowRank{U: u, V: v.T()}
		for name, f := range map[string]func(){
			"Axpby":         func() { c.Axpby(z, 2, x, 1) },
			"Unary":         func() { c.Unary(backend.GELU, z, x) },
			"Dropout":       func() { c.Dropout(z, x, 0.1, 7, 0) },
			"Sum":           func() { c.Sum(gain, x, 0) },
			"SumSquares":    func() { c.SumSquares(x) },
			"MatMul":        func() { c.MatMul(z, x, square, 1, 0) },
			"MulT":          func() { c.MulT(z, x, w, backend.Epilogue{Low: low, Bias: &gain, Pre: &y, Func: backend.GELU}) },
			"Mul":           func() { c.Mul(z, x, w, lowBack, 1) },
			"LayerNorm":     func() { c.LayerNorm(z, stats, x, &gain, &gain, 1e-5) },
			"LayerNormGrad": func() { c.LayerNormGrad(&z, &gain, nil, y, x, stats, nil, 0) },
			"Attention":     func() { c.Attention(z, lse, x, x, x, a) },
			"AttentionGrad": func() { c.AttentionGrad(&z, nil, nil, nil, y, x, x, x, y, lse, a, [3]float64{}) },
			"AdamW":         func() { c.AdamW(z, x, y, x, backend.AdamW{Step: 1, Eps: 1}) },
		} {
			f()
			require.Less(t, testing.AllocsPerRun(20, f), 1.0, "%s on %d threads", name, threads)
		}
	}
}
