package cpu

import (
	"math/bits"
	"sync"

	"peft/tensor/internal/backend"
)

// A buffer is a stretch of a slab; data[:n] of it is in use.
type buffer struct {
	data          []float32 // as long as size; nothing in a dry pool
	n, size       int
	live          bool
	among         *arena
	before, after *buffer // its neighbours in the slab
	prev, next    *buffer // the others of its class that are free
}

// Len is the number of numbers it holds.
func (b *buffer) Len() int { return b.n }

// bytes is the memory of b.
func (b *buffer) bytes() int64 { return 4 * int64(b.size) }

// A pool keeps freed memory, so that a program in steady state allocates nothing. Memory is cut from slabs, and free neighbours become one again: what one step has in a few large
// buffers the next may have in many small ones, and what batches of changing sizes leave is of use to each of them. Whole slabs that lie idle are let go of when there is much of
// that and more is wanted all the same.
type pool struct {
	mu               sync.Mutex
	dry              bool  // buffers have no memory
	small, large     arena // apart, so that what is small and lives long does not part what is large
	spare            *buffer
	live, peak, idle int64 // bytes
	held             int64 // the most that live and idle ones have been together
}

// An arena is the free buffers by classes of their size, four to a power of two, and what has never been used of the last slab.
type arena struct {
	free  [64 * 4]*buffer
	fresh *buffer
}

const (
	line      = alignment / 4 // numbers of which buffers are multiples
	smallMost = 1 << 14       // numbers of a small buffer
	slabLeast = 1 << 18       // numbers of a slab
)

// classOf is the class of a buffer of so many numbers.
func classOf(size int) int {
	octave := bits.Len(uint(size)) - 3 // size lies in [4<<octave, 8<<octave)
	return octave*4 + size>>octave - 4
}

// get returns a buffer of n numbers with arbitrary content.
func (p *pool) get(n int) *buffer {
	size := blocks(max(n, 1), line) * line
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live += 4 * int64(size)
	p.peak = max(p.peak, p.live)
	a := &p.large
	if size <= smallMost {
		a = &p.small
	}
	b := a.find(size)
	if b == nil {
		b = p.new(a, size)
	} else {
		p.unlink(b)
		if b.size > size {
			p.link(p.cut(b, size))
		}
	}
	b.n, b.live = n, true
	p.held = max(p.held, p.live+p.idle)
	return b
}

// find is a free buffer of a size at least, the smallest of some that there are, nil if there is none.
func (a *arena) find(size int) *buffer {
	for _, list := range a.free[classOf(size):] {
		if b := list.fit(size); b != nil {
			return b
		}
	}
	return nil
}

// fit is the smallest of b and some buffers that follow it on its list that has a size, nil if there is none.
func (b *buffer) fit(size int) (best *buffer) {
	const tries = 16
	for n := 0; b != nil && n < tries; b, n = b.next, n+1 {
		if b.size >= size && (best == nil || b.size < best.size) {
			best = b
		}
	}
	return best
}

// new is a buffer that was never used.
func (p *pool) new(a *arena, size int) *buffer {
	if a.fresh == nil || a.fresh.size < size {
		p.trim(p.peak/4 + p.peak - p.live)
		if a.fresh != nil {
			p.link(a.fresh)
		}
		a.fresh = p.blank(a, max(size, slabLeast))
		if !p.dry {
			a.fresh.data = aligned(a.fresh.size)
		}
	}
	b := a.fresh
	if a.fresh = nil; b.size > size {
		a.fresh = p.cut(b, size)
	}
	return b
}

// blank is a buffer without memory.
func (p *pool) blank(a *arena, size int) *buffer {
	b := p.spare
	if b == nil {
		b = new(buffer)
	} else {
		p.spare = b.next
	}
	*b = buffer{size: size, among: a}
	return b
}

// cut leaves b size numbers, and returns the rest.
func (p *pool) cut(b *buffer, size int) *buffer {
	rest := p.blank(b.among, b.size-size)
	b.size = size
	if !p.dry {
		rest.data, b.data = b.data[size:], b.data[:size]
	}
	if rest.before, rest.after = b, b.after; rest.after != nil {
		rest.after.before = rest
	}
	b.after = rest
	return rest
}

// put takes a buffer back and joins it with its neighbours that are free. It panics if the buffer is not in use.
func (p *pool) put(b *buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !b.live {
		panic("cpu: buffer freed twice")
	}
	b.live = false
	p.live -= b.bytes()
	if a := b.after; p.free(a) {
		p.unlink(a)
		p.join(b, a)
	}
	if a := b.before; p.free(a) {
		p.unlink(a)
		p.join(a, b)
		b = a
	}
	p.link(b)
}

// free reports whether b is on a list.
func (p *pool) free(b *buffer) bool { return b != nil && !b.live && b != b.among.fresh }

// join makes one of b and the buffer after it.
func (p *pool) join(b, after *buffer) {
	b.size += after.size
	if !p.dry {
		b.data = b.data[:b.size]
	}
	if b.after = after.after; b.after != nil {
		b.after.before = b
	}
	*after = buffer{next: p.spare}
	p.spare = after
}

// link puts b on the list of its class.
func (p *pool) link(b *buffer) {
	head := &b.among.free[classOf(b.size)]
	if b.prev, b.next = nil, *head; b.next != nil {
		b.next.prev = b
	}
	*head = b
	p.idle += b.bytes()
}

// unlink takes b from its list.
func (p *pool) unlink(b *buffer) {
	if b.prev == nil {
		b.among.free[classOf(b.size)] = b.next
	} else {
		b.prev.next = b.next
	}
	if b.next != nil {
		b.next.prev = b.prev
	}
	p.idle -= b.bytes()
}

// trim lets go of slabs of which nothing is in use, the largest first, until no more than so many bytes lie idle.
func (p *pool) trim(most int64) {
	list := &p.large.free
	for c := len(list) - 1; c >= 0; c-- {
		for b := list[c]; b != nil && p.idle > most; b = b.next {
			if b.before == nil && b.after == nil {
				p.unlink(b)
			}
		}
	}
}

// lasting returns a buffer of n numbers that never comes back.
func (p *pool) lasting(n int) *buffer {
	b := &buffer{n: n, size: n, live: true}
	if !p.dry {
		b.data = aligned(n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live += b.bytes()
	p.peak = max(p.peak, p.live)
	p.held = max(p.held, p.live+p.idle)
	return b
}

// Alloc returns a buffer of n numbers with arbitrary content.
func (b *Backend) Alloc(n int) backend.Buffer { return b.pool.get(n) }

// Lasting returns a buffer of n numbers with arbitrary content, in memory of its own.
func (b *Backend) Lasting(n int) backend.Buffer { return b.pool.lasting(n) }

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
