package cpu

import "peft/tensor/internal/backend"

const (
	depthBlock = 384 // of the inner dimension: a strip of a's rows stays in the first-level cache
	colsBlock  = 768 // of the right operand's columns: their panels stay in the second-level cache
	rowsBlock  = 560 // of the left operand's rows: the more of them, the less often panels are made and read
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
	run(b, p.down*blocks(p.c.cols, p.nBlock), p)
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

// chunk does block t of c. Blocks below each other follow one another, so that a thread finds the panels in its cache.
func (p *product) chunk(w *worker, t int) {
	i0, j0 := t%p.down*p.mBlock, t/p.down*p.nBlock
	i1, j1 := min(i0+p.mBlock, p.c.rows), min(j0+p.nBlock, p.c.cols)
	x := block{product: p, w: w, c: p.c.window(i0, i1, j0, j1), beta: p.beta, i0: i0, i1: i1, j0: j0, j1: j1}
	if !p.c.rowwise() {
		x.c, x.beta = dense(w.floats(slotC, (i1-i0)*(j1-j0)), i1-i0, j1-j0), 0
	}
	x.c.cs = 1
	x.multiply()
}

// A block is rows [i0, i1) and columns [j0, j1) of a product, on one worker.
type block struct {
	*product
	w              *worker
	c              view // where the sums are made: the place in the result, or scratch memory where that has no contiguous rows
	beta           float32
	i0, i1, j0, j1 int
}

// multiply adds up depth by depth, the product of low rank last; what follows the sums is done strip by strip while they are in the cache.
func (x *block) multiply() {
	whole, low := blocks(x.a.cols, depthBlock), blocks(x.u.cols, depthBlock)
	if x.alpha == 0 {
		whole = 0
	}
	if x.u.none() {
		low = 0
	}
	if whole+low == 0 {
		x.k.scale(x.c, x.beta)
		x.finish(0, x.c.rows)
	}
	for part := range whole + low {
		a, b, alpha, l := x.a, &x.b, x.alpha, part
		if part >= whole {
			a, b, alpha, l = x.u, &x.v, 1, part-whole
		}
		l0, l1 := l*depthBlock, min((l+1)*depthBlock, a.cols)
		x.accumulate(a.window(x.i0, x.i1, l0, l1), b, l0, alpha, part == whole+low-1)
		x.beta = 1
	}
}

// accumulate makes c = alpha·a·b + beta·c, with rows of b from l0 on.
func (x *block) accumulate(a view, b *source, l0 int, alpha float32, last bool) {
	k := x.k
	panels, br, next := b.panels(k, x.w, l0, l0+a.cols, x.j0, x.j1, a.rows)
	strips := blocks(a.rows, k.tileRows)
	for s := range strips {
		i, end := a.rows*s/strips, a.rows*(s+1)/strips
		rows := k.strip(x.w, a.window(i, end, 0, a.cols), blocks(x.c.cols, k.tileCols))
		k.tile[end-i](x.c.data[i*x.c.rs:], x.c.rs, rows.data, rows.rs, rows.cs, panels, br, next, a.cols, x.c.cols, alpha, x.beta)
		if last {
			x.finish(i, end)
		}
	}
}

// strip is rows of a left operand as tiles read them: as they are, or a copy where neither rows nor columns are contiguous, or where they would compete for
// the same lines of the cache in all of the panels.
func (k *kernels) strip(w *worker, a view, panels int) view {
	const page = 4096 / 4
	const few = 4
	switch {
	case a.cs == 1 && (a.rs%(page/2) != 0 || panels < few):
		return a
	case a.rs == 1 && a.rows <= k.rowPitch && panels >= few:
		out := w.floats(slotA, a.cols*k.rowPitch)
		k.stack(out, a.data, a.cols, a.rows, a.cs, k.rowPitch)
		return view{data: out, rows: a.rows, cols: a.cols, rs: 1, cs: k.rowPitch}
	case a.rs == 1:
		return a
	}
	const skew = 16
	out := view{data: w.floats(slotA, a.rows*(a.cols+skew)), rows: a.rows, cols: a.cols, rs: a.cols + skew, cs: 1}
	for i := range a.rows {
		tmp := out.row(i, 0, a.cols, nil)
		copy(tmp, a.row(i, 0, a.cols, tmp))
	}
	return out
}

// finish does what follows the sums of rows [from, to) of the block.
func (x *block) finish(from, to int) {
	if x.bias.none() && x.pre.none() && x.f == nil && x.product.c.rowwise() {
		return
	}
	n := x.c.cols
	var bias []float32
	if !x.bias.none() {
		bias = x.bias.row(0, x.j0, x.j1, x.w.floats(slotX, n))
	}
	for i := from; i < to; i++ {
		c := x.c.row(i, 0, n, nil)
		if bias != nil {
			x.k.binary[backend.Add](c, c, bias)
		}
		if !x.pre.none() {
			x.pre.put(x.i0+i, x.j0, c)
		}
		if x.f != nil {
			x.f(c, c)
		}
		if !x.product.c.rowwise() {
			x.k.store(x.product.c, x.i0+i, x.j0, c, x.product.beta)
		}
	}
}

// scale makes c = beta·c.
func (k *kernels) scale(c view, beta float32) {
	if beta == 1 {
		return
	}
	for i := range c.rows {
		row := c.row(i, 0, c.cols, nil)
		if beta == 0 {
			clear(row)
		} else {
			k.axpby(row, row, beta, 0)
		}
	}
}

// tiles multiplies tile by tile: c = alpha·a·b + beta·c, where panel q of b begins at q·next and its rows are br apart.
func (k *kernels) tiles(w *worker, c, a *view, b []float32, br, next int, alpha, beta float32) {
	panels, strips := blocks(c.cols, k.tileCols), blocks(a.rows, k.tileRows)
	for s := range strips {
		i, end := a.rows*s/strips, a.rows*(s+1)/strips
		rows := k.strip(w, a.window(i, end, 0, a.cols), panels)
		k.tile[end-i](c.data[i*c.rs:], c.rs, rows.data, rows.rs, rows.cs, b, br, next, a.cols, c.cols, alpha, beta)
	}
}

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
