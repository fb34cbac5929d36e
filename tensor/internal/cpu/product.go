package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

const (
	colsBlock  = 384     // of the right operand's columns: their panels stay in the second-level cache
	packedMost = 1 << 23 // numbers of a right operand whose panels are made before, and not again for every block of rows
	rowsBlock  = 256     // of the left operand's rows: the more of them, the less often panels are made and read
)

// A product is c = f(alpha·a·b + u·v + bias + beta·c), cut into blocks of c.
type product struct {
	k           *kernels
	c, a        view
	b           source
	alpha, beta float32
	u           view // none, or with v the product of low rank that is added
	v           source
	bias, pre   view
	f           func(dst, x []float32) // nil for the identity
	mBlock      int
	nBlock      int
	down        int  // blocks in a column of blocks
	remade      bool // every block makes its panels, as there would be too many to keep
}

// product does p.
func (b *Backend) product(p product) {
	if p.c.rows == 0 || p.c.cols == 0 {
		return
	}
	size := b.plan(&p)
	if size == 0 {
		run(b, p.down*blocks(p.c.cols, p.nBlock), p)
		return
	}
	panels := b.pool.get(size)
	b.pack(&p.b, panels.data)
	run(b, p.down*blocks(p.c.cols, p.nBlock), p)
	b.pool.put(panels)
}

// plan cuts p into blocks, and tells the size of the right operand's panels if they are to be made before, as several blocks of rows would make the same ones.
func (b *Backend) plan(p *product) int {
	p.k = b.kernels
	size := b.packedSize(&p.b)
	p.remade = p.b.entries == nil && !p.b.ready() && size > packedMost
	p.cut(b.Threads())
	if p.b.entries == nil && (p.down == 1 || p.b.ready() || p.b.direct(p.k, p.mBlock) || p.remade) {
		return 0
	}
	return size
}

// cut chooses the blocks: as large as the caches allow on one thread, and on several those that are done soonest if each thread takes a block, then another and so on.
func (p *product) cut(threads int) {
	const small = 1 << 18 // products that are done before another thread wakes up
	const wait = 0.5      // of a block, for the others at the end
	m, n, k := p.c.rows, p.c.cols, p.k
	if threads == 1 || m*n*max(p.a.cols, p.u.cols) < small {
		p.mBlock, p.nBlock = blocks(m, p.leastDown()), even(n, p.leastAcross(), k.tileCols)
		p.down = blocks(m, p.mBlock)
		return
	}
	best, least, most := math.Inf(1), p.leastDown(), blocks(m, k.tileRows)
	first := p.rounds(threads)
	for rounds := first; rounds < first+3; rounds++ {
		for across := p.leastAcross(); across <= blocks(n, k.tileCols) && rounds*threads/across >= least; across++ {
			mb, nb := blocks(m, min(rounds*threads/across, most)), even(n, across, k.tileCols)
			if c := (float64(rounds) + wait) * p.cost(mb, nb); c < best {
				best, p.mBlock, p.nBlock = c, mb, nb
			}
		}
	}
	p.down = blocks(m, p.mBlock)
}

// rounds is how many blocks each thread should do: several, and the more of them the more threads there are, so that others take what a slow one leaves, but none smaller than is worth it, and none
// larger than the caches allow.
func (p *product) rounds(threads int) int {
	const worth = 1 << 22
	m, n, several := p.c.rows, p.c.cols, min(4+threads, 12)
	least := blocks(p.leastDown()*p.leastAcross(), threads)
	if p.remade {
		return least
	}
	return max(least, min(several, m*n*max(p.a.cols, p.u.cols)/(threads*worth)))
}

// leastAcross is how many blocks there are beside each other at least. Numbers of 16 bits take half the cache.
func (p *product) leastAcross() int {
	if p.b.halves() {
		return blocks(p.c.cols, 2*colsBlock)
	}
	return blocks(p.c.cols, colsBlock)
}

// leastDown is how many blocks there are below each other at least: fewer where each of them makes panels.
func (p *product) leastDown() int {
	if p.remade {
		return blocks(p.c.rows, 2*rowsBlock)
	}
	return blocks(p.c.rows, rowsBlock)
}

// cost is how long a block takes: its multiplications, the numbers that are brought to a thread's cache and those of panels that are made, for a unit of depth.
func (p *product) cost(rows, cols int) float64 {
	const move, turn = 32, 64 // multiplications that are done in the time in which a number is brought, and in which it is put into a panel
	c := rows*cols + move*(rows+cols)
	if p.remade {
		c += turn * cols
	}
	return float64(c)
}

// even is the size of blocks, a multiple of unit, that cut n into so many parts of about the same size.
func even(n, parts, unit int) int { return blocks(blocks(n, parts), unit) * unit }

// MatMul makes dst = alpha·a·b + beta·dst.
func (b *Backend) MatMul(dst, x, y backend.Mat, alpha, beta float64) {
	p := product{c: see(dst), a: see(x), b: source{view: see(y)}, alpha: float32(alpha), beta: float32(beta)}
	if p.c.rs == 1 && p.c.cs != 1 || b.kernels.thin(p.c, p.a) {
		p.c, p.a, p.b.view = p.c.t(), p.b.t(), p.a.t()
	}
	b.product(p)
}

// thin reports whether c = a·b has few columns, and its transpose is better made: where the columns of a are contiguous, so that they fill vectors.
func (k *kernels) thin(c, a view) bool {
	return a.rs == 1 && a.cs != 1 && c.cols < k.tileCols && c.rows > c.cols
}

// MulT makes dst = f(x·Wᵀ + u·vᵀ + bias).
func (b *Backend) MulT(dst, x backend.Mat, w backend.Weight, e backend.Epilogue) {
	if a, yes := b.apart(w, x.Rows); yes {
		b.mulTApart(dst, x, a, e)
		return
	}
	p := product{c: see(dst), a: see(x), b: b.right(w, true), alpha: 1, bias: seeOrNone(e.Bias), pre: seeOrNone(e.Pre)}
	if e.Low != nil {
		p.u, p.v = see(e.Low.U), source{view: see(e.Low.V).t()}
	}
	if e.Func != backend.Identity {
		p.f = b.kernels.unary[e.Func]
	}
	b.product(p)
}

// Mul makes dst = dy·W + u·v + beta·dst.
func (b *Backend) Mul(dst, dy backend.Mat, w backend.Weight, low *backend.LowRank, beta float64) {
	if a, yes := b.apart(w, dy.Rows); yes {
		b.Mul(dst, dy, a.weight, low, beta)
		b.sparseMulT(dst, dy, a.t, a.v)
		return
	}
	p := product{c: see(dst), a: see(dy), b: b.right(w, false), alpha: 1, beta: float32(beta)}
	if low != nil {
		p.u, p.v = see(low.U), source{view: see(low.V)}
	}
	b.product(p)
}
