package cpu

import "peft/tensor/internal/backend"

const (
	depthBlock = 384 // of the inner dimension: a panel of this depth stays in the first-level cache
	colsBlock  = 192 // of the right operand's columns: their panels stay in the second-level cache
	rowsBlock  = 504 // of the left operand's rows: a task's block of the result stays there, too
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
	across      int // blocks in a row of blocks
}

// product does p.
func (b *Backend) product(p product) {
	m, n := p.c.rows, p.c.cols
	if m == 0 || n == 0 {
		return
	}
	p.k = b.kernels
	p.cut(len(b.team.helpers) + 1)
	run(b, blocks(m, p.mBlock)*p.across, p)
}

// cut chooses the blocks: enough of them to occupy all threads, as large as the caches allow.
func (p *product) cut(threads int) {
	m, n := p.c.rows, p.c.cols
	p.mBlock, p.nBlock = even(m, rowsBlock, p.k.tileRows), even(n, colsBlock, p.k.tileCols)
	if work := m * n * p.a.cols; threads > 1 && work > 1<<18 {
		for blocks(m, p.mBlock)*blocks(n, p.nBlock) < 4*threads {
			switch {
			case p.mBlock > 4*p.k.tileRows && p.mBlock >= p.nBlock:
				p.mBlock = even(p.mBlock, (p.mBlock+1)/2, p.k.tileRows)
			case p.nBlock > 2*p.k.tileCols:
				p.nBlock = even(p.nBlock, (p.nBlock+1)/2, p.k.tileCols)
			default:
				p.across = blocks(n, p.nBlock)
				return
			}
		}
	}
	p.across = blocks(n, p.nBlock)
}

// even is the size of blocks, a multiple of unit, that cut n into equal parts of about most.
func even(n, most, unit int) int {
	parts := blocks(n, max(most, unit))
	return blocks(blocks(n, parts), unit) * unit
}

// chunk does block t of c.
func (p *product) chunk(w *worker, t int) {
	i0, j0 := t/p.across*p.mBlock, t%p.across*p.nBlock
	i1, j1 := min(i0+p.mBlock, p.c.rows), min(j0+p.nBlock, p.c.cols)
	c, beta := p.c.window(i0, i1, j0, j1), p.beta
	if !c.rowwise() {
		c, beta = dense(w.floats(slotC, (i1-i0)*(j1-j0)), i1-i0, j1-j0), 0
	}
	c.cs = 1
	if p.a.cols == 0 || p.alpha == 0 {
		p.k.scale(c, beta)
	} else {
		p.k.accumulate(w, c, p.a.window(i0, i1, 0, p.a.cols), p.b, j0, j1, p.alpha, beta)
	}
	if !p.u.none() && p.u.cols > 0 {
		p.k.accumulate(w, c, p.u.window(i0, i1, 0, p.u.cols), p.v, j0, j1, 1, 1)
	}
	for i := i0; i < i1; i++ {
		p.finish(w, c.row(i-i0, 0, j1-j0, nil), i, j0)
	}
}

// finish does what follows the sums of row i from column j on, which stand in c.
func (p *product) finish(w *worker, c []float32, i, j int) {
	if !p.bias.none() {
		p.k.axpby(c, p.bias.row(0, j, j+len(c), w.floats(slotX, len(c))), 1, 1)
	}
	if !p.pre.none() {
		p.pre.put(i, j, c)
	}
	if p.f != nil {
		p.f(c, c)
	}
	if !p.c.rowwise() {
		p.k.store(p.c, i, j, c, p.beta)
	}
}

// scale makes c = beta·c.
func (k *kernels) scale(c view, beta float32) {
	for i := range c.rows {
		row := c.row(i, 0, c.cols, nil)
		if beta == 0 {
			clear(row)
		} else {
			k.axpby(row, row, beta, 0)
		}
	}
}

// accumulate makes c = alpha·a·b[:, j0:j1] + beta·c, on the calling goroutine; the rows of c are contiguous.
func (k *kernels) accumulate(w *worker, c, a view, b source, j0, j1 int, alpha, beta float32) {
	depth := a.cols
	for l0 := 0; l0 < depth; l0 += depthBlock {
		l1 := min(l0+depthBlock, depth)
		part := a.window(0, a.rows, l0, l1)
		if b.direct() && a.rows <= 2*k.tileRows {
			k.tiles(w, c, part, b.data[l0*b.rs+j0:], b.rs, k.tileCols, alpha, beta)
		} else {
			cols := blocks(j1-j0, k.tileCols) * k.tileCols
			panels := w.floats(slotB, cols*(l1-l0))
			b.panels(k, w, panels, l0, l1, j0, j1)
			k.tiles(w, c, part, panels, k.tileCols, k.tileCols*(l1-l0), alpha, beta)
		}
		beta = 1
	}
}

// tiles multiplies tile by tile: panel q of b begins at q·next, its rows are br apart.
func (k *kernels) tiles(w *worker, c, a view, b []float32, br, next int, alpha, beta float32) {
	depth := a.cols
	for i := 0; i < a.rows; i += k.tileRows {
		m := min(k.tileRows, a.rows-i)
		rows := a.window(i, i+m, 0, depth)
		for j, q := 0, 0; j < c.cols; j, q = j+k.tileCols, q+next {
			n := min(k.tileCols, c.cols-j)
			k.tile[m](c.data[i*c.rs+j:], c.rs, rows.data, rows.rs, rows.cs, b[q:], br, depth, n, alpha, beta)
		}
	}
}

// MatMul makes dst = alpha·a·b + beta·dst.
func (b *Backend) MatMul(dst, x, y backend.Mat, alpha, beta float64) {
	c, l, r := see(dst), see(x), see(y)
	if c.rs == 1 && c.cs != 1 {
		c, l, r = c.t(), r.t(), l.t()
	}
	b.product(product{c: c, a: l, b: source{view: r}, alpha: float32(alpha), beta: float32(beta)})
}

// MulT makes dst = f(x·Wᵀ + u·vᵀ + bias).
func (b *Backend) MulT(dst, x backend.Mat, w backend.Weight, e backend.Epilogue) {
	p := product{c: see(dst), a: see(x), b: sourceOf(w.(*weight), true), alpha: 1, bias: seeOrNone(e.Bias), pre: seeOrNone(e.Pre)}
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
