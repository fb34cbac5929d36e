package cpu

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// A tally counts how often each chunk is done.
type tally struct{ times []atomic.Int32 }

func (t *tally) chunk(_ *worker, i int) { t.times[i].Add(1) }

// TestChunks: every chunk of job after job is done once, however many there are for each thread.
func TestChunks(t *testing.T) {
	for _, threads := range []int{2, 3, 16} {
		c := New(threads)
		for n := range 200 {
			x := tally{make([]atomic.Int32, n)}
			run(c, n, x)
			for i := range x.times {
				require.Equal(t, int32(1), x.times[i].Load(), "chunk %d of %d on %d threads", i, n, threads)
			}
		}
	}
}

// TestCut: blocks cover a product, within what caches hold, and where there is much to do there is the same for each thread.
func TestCut(t *testing.T) {
	for i := range 10 {
		threads, remade := []int{1, 2, 3, 16, 100}[i/2], i%2 == 1
		for _, s := range [][3]int{{1, 1, 1}, {1024, 768, 768}, {1024, 768, 3072}, {1024, 3072, 768}, {1024, 768, 8}, {8, 768, 768}, {1, 768, 30000}, {5000, 5000, 3}, {70000, 64, 900}, {400, 50000, 1536}, {368, 384, 384}} {
			p := product{k: New(1).kernels, remade: remade}
			p.c.rows, p.a.cols, p.c.cols = s[0], s[1], s[2]
			p.cut(threads)
			what := fmt.Sprint(s, " on ", threads, " remade ", remade)
			rows := rowsBlock
			if remade {
				rows *= 2
			}
			require.True(t, p.mBlock > 0 && p.mBlock <= rows && p.nBlock > 0 && p.nBlock%p.k.tileCols == 0 && p.nBlock < colsBlock+p.k.tileCols, what)
			require.Equal(t, blocks(s[0], p.mBlock), p.down, what)
			if s[0] == 1024 && s[2] >= 768 && threads == 16 && !remade {
				require.Zero(t, p.down*blocks(s[2], p.nBlock)%threads, what)
			}
		}
	}
}

// TestBits: products have the same bits for any number of threads.
func TestBits(t *testing.T) {
	for _, set := range Available() {
		var want []float32
		for _, threads := range []int{1, 2, 5, 16} {
			c := NewSet(threads, set)
			x, w, y, dx := matrix(c, 300, 500), weightOf(c, 260, 500), matrix(c, 300, 260), matrix(c, 300, 500)
			c.MulT(y, x, w, backend.Epilogue{Func: backend.GELU})
			c.Mul(dx, y, w, nil, 1)
			got := make([]float32, 300*500)
			c.ReadF32(got, dx.Buf, 0)
			if want == nil {
				want = got
			}
			require.Equal(t, want, got, "%v on %d threads", set, threads)
		}
	}
}
