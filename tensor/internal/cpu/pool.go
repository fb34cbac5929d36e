package cpu

import (
	"math/bits"
	"sync"

	"peft/tensor/internal/backend"
)

// A buffer is memory of this backend; data[:n] of it is in use.
type buffer struct {
	data  []float32
	n     int
	class int
	live  bool
}

// Len is the number of numbers it holds.
func (b *buffer) Len() int { return b.n }

// A pool keeps freed buffers by size class, four classes to a power of two, so that a program in steady state allocates nothing. Where sizes change from step to step, as those of
// ragged batches do, it gives somewhat larger buffers than are asked for, and lets go of what lies idle rather than keep every size there ever was.
type pool struct {
	mu               sync.Mutex
	free             [64 * 4][]*buffer
	live, peak, idle int64 // bytes, by class sizes
	held             int64 // the most that live and idle ones have been together
}

// reach is how many classes further up a free buffer may come from: at most twice the size.
const reach = 4

// classOf is the smallest class that holds n numbers.
func classOf(n int) int {
	n = max(n, 16)
	octave := bits.Len(uint(n-1)) - 3 // classes of an octave differ by 1<<octave; n lies in (4<<octave, 8<<octave]
	quarter := (n - 1) >> octave      // 4..7
	return octave*4 + quarter - 4
}

// classSize is the number of numbers that a buffer of class c holds.
func classSize(c int) int { return (c%4 + 5) << (c / 4) }

// bytes is the memory of a buffer of class c.
func bytes(c int) int64 { return 4 * int64(classSize(c)) }

// get returns a buffer of n numbers with arbitrary content.
func (p *pool) get(n int) *buffer {
	c := classOf(n)
	p.mu.Lock()
	b := p.take(c)
	if b != nil {
		c = b.class
	}
	p.live += bytes(c)
	p.peak = max(p.peak, p.live)
	if b == nil {
		p.trim(p.peak/4 + p.peak - p.live)
	}
	p.held = max(p.held, p.live+p.idle)
	p.mu.Unlock()
	if b == nil {
		b = &buffer{data: aligned(classSize(c)), class: c}
	}
	b.n, b.live = n, true
	return b
}

// take removes a free buffer of class c, or somewhat larger, from the pool; nil if there is none.
func (p *pool) take(c int) *buffer {
	for up := c; up <= min(c+reach, len(p.free)-1); up++ {
		if b := p.pop(up); b != nil {
			return b
		}
	}
	return nil
}

func (p *pool) pop(c int) *buffer {
	list := p.free[c]
	if len(list) == 0 {
		return nil
	}
	b := list[len(list)-1]
	list[len(list)-1] = nil
	p.free[c] = list[:len(list)-1]
	p.idle -= bytes(c)
	return b
}

// trim lets go of free buffers, the largest first, until no more than so many bytes lie idle.
func (p *pool) trim(most int64) {
	for c := len(p.free) - 1; c >= 0 && p.idle > most; c-- {
		for p.idle > most && p.pop(c) != nil {
		}
	}
}

// put takes a buffer back. It panics if the buffer is not in use.
func (p *pool) put(b *buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !b.live {
		panic("cpu: buffer freed twice")
	}
	b.live = false
	p.live -= bytes(b.class)
	p.idle += bytes(b.class)
	p.free[b.class] = append(p.free[b.class], b)
}

// Alloc returns a buffer of n numbers with arbitrary content.
func (b *Backend) Alloc(n int) backend.Buffer { return b.pool.get(n) }

// Free gives a buffer back to the pool; it panics at the second time.
func (b *Backend) Free(x backend.Buffer) { b.pool.put(x.(*buffer)) }

// Live is the bytes of all buffers in use.
func (b *Backend) Live() int64 {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return b.pool.live
}

// Peak is the largest number that Live has been.
func (b *Backend) Peak() int64 {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return b.pool.peak
}

// Held is the most that all buffers have been, in use or idle.
func (b *Backend) Held() int64 {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return b.pool.held
}

// Write makes b[off+i] = src[i], rounded.
func (*Backend) Write(b backend.Buffer, off int, src []float64) {
	dst := span(b, off, len(src))
	for i, x := range src {
		dst[i] = float32(x)
	}
}

// WriteF32 makes b[off+i] = src[i].
func (*Backend) WriteF32(b backend.Buffer, off int, src []float32) { copy(span(b, off, len(src)), src) }

// Read makes dst[i] = b[off+i].
func (*Backend) Read(dst []float64, b backend.Buffer, off int) {
	for i, x := range span(b, off, len(dst)) {
		dst[i] = float64(x)
	}
}

// ReadF32 makes dst[i] = b[off+i].
func (*Backend) ReadF32(dst []float32, b backend.Buffer, off int) { copy(dst, span(b, off, len(dst))) }

// span is numbers [off, off+n) of b.
func span(b backend.Buffer, off, n int) []float32 {
	x := b.(*buffer)
	return x.data[:x.n][off : off+n]
}
