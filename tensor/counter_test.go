package tensor

import (
	"fmt"
	"sync"

	"peft/tensor/internal/backend"
)

// A counter is a backend that counts what products cost and which buffers are alive.
type counter struct {
	backend.Backend
	mu      sync.Mutex
	work    int // multiplications with addition in matrix products
	numbers int // in live buffers
	peak    int // most numbers at a time
	live    map[backend.Buffer]bool
}

// counting is a device that counts, over the reference.
func counting() (*Device, *counter) {
	c := &counter{Backend: Reference().Backend, live: map[backend.Buffer]bool{}}
	return On(c), c
}

func (c *counter) Alloc(n int) backend.Buffer { return c.made(n, c.Backend.Alloc(n)) }

func (c *counter) Lasting(n int) backend.Buffer { return c.made(n, c.Backend.Lasting(n)) }

func (c *counter) made(n int, b backend.Buffer) backend.Buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live[b] = true
	c.numbers += n
	c.peak = max(c.peak, c.numbers)
	return b
}

// Free panics if the buffer is not alive.
func (c *counter) Free(b backend.Buffer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.live[b] {
		panic(fmt.Sprintf("a buffer of %d numbers is freed that is not alive", b.Len()))
	}
	delete(c.live, b)
	c.numbers -= b.Len()
	c.Backend.Free(b)
}

func (c *counter) count(work int) {
	c.mu.Lock()
	c.work += work
	c.mu.Unlock()
}

func (c *counter) MatMul(dst, a, b backend.Mat, alpha, beta float64) {
	c.count(a.Rows * a.Cols * b.Cols)
	c.Backend.MatMul(dst, a, b, alpha, beta)
}

func (c *counter) MulT(dst, x backend.Mat, w backend.Weight, e backend.Epilogue) {
	c.count(dst.Rows*dst.Cols*x.Cols + lowRankWork(e.Low))
	c.Backend.MulT(dst, x, w, e)
}

func (c *counter) Mul(dst, dy backend.Mat, w backend.Weight, low *backend.LowRank, beta float64) {
	work := dst.Rows * dst.Cols * dy.Cols
	if low != nil {
		work += low.U.Rows * low.U.Cols * low.V.Cols
	}
	c.count(work)
	c.Backend.Mul(dst, dy, w, low, beta)
}

// lowRankWork is that of u·vᵀ.
func lowRankWork(l *backend.LowRank) int {
	if l == nil {
		return 0
	}
	return l.U.Rows * l.U.Cols * l.V.Rows
}

// since is what f adds to the work and to the live numbers.
func (c *counter) since(f func()) (work, numbers int) {
	work, numbers = c.work, c.numbers
	f()
	return c.work - work, c.numbers - numbers
}
