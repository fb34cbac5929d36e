package cpu

import "peft/tensor/internal/backend"

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
	down        int // blocks in a column of blocks
}

// product does p.
func (b *Backend) product(p product) {
	if p.c.rows == 0 || p.c.cols == 0 {
		return
	}
	p.k = b.kernels
	p.cut(b.Threads())
	panels := b.shared(&p)
	run(b, p.down*blocks(p.c.cols, p.nBlock), p)
	if panels != nil {
		b.pool.put(panels)
	}
}

// shared makes the panels of p's right operand where several blocks of rows would make the same ones; nil where they are not to be made, or are there already.
func (b *Backend) shared(p *product) *buffer {
	size := b.packedSize(&p.b)
	if p.down == 1 || p.b.packed != nil || p.b.direct(p.k, p.mBlock) || size > packedMost {
		return nil
	}
	panels := b.pool.get(max(size, 1))
	b.pack(&p.b, panels.data)
	return panels
}

// cut chooses the blocks: as large as the caches allow, and a multiple of the threads in number where there is work for all.
func (p *product) cut(threads int) {
	const small = 1 << 18 // products that are done before another thread wakes up
	m, n, k := p.c.rows, p.c.cols, p.k
	if threads == 1 || m*n*max(p.a.cols, p.u.cols) < small {
		p.mBlock, p.nBlock = blocks(m, blocks(m, rowsBlock)), even(n, blocks(n, colsBlock), k.tileCols)
		p.down = blocks(m, p.mBlock)
		return
	}
	down, across := blocks(m, rowsBlock), blocks(n, colsBlock)
	for down*across < threads || down*across%threads != 0 {
		if mb, nb := blocks(m, down), blocks(n, across); nb <= k.tileCols || mb >= nb && mb > k.tileRows {
			down++
		} else {
			across++
		}
		if down >= m && across >= n {
			break
		}
	}
	p.mBlock, p.nBlock = blocks(m, down), even(n, across, k.tileCols)
	p.down = blocks(m, p.mBlock)
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
	p := product{c: see(dst), a: see(x), b: b.transposed(w.(*weight)), alpha: 1, bias: seeOrNone(e.Bias), pre: seeOrNone(e.Pre)}
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
	p := product{c: see(dst), a: see(dy), b: sourceOf(w.(*weight), false), alpha: 1, beta: float32(beta)}
	if low != nil {
		p.u, p.v = see(low.U), source{view: see(low.V)}
	}
	b.product(p)
}
