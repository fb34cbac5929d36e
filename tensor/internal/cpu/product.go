package cpu

import "peft/tensor/internal/backend"

const (
	depthBlock = 384     // of the inner dimension: a strip of a's rows stays in the first-level cache
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
	if size := b.packedSize(&p.b); p.down > 1 && p.b.packed == nil && !p.b.direct(p.k, p.mBlock) && size <= packedMost {
		panels := b.pool.get(max(size, 1))
		b.pack(&p.b, panels.data)
		defer b.pool.put(panels)
	}
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
	switch {
	case p.pre.rowwise() && !p.pre.none():
		x.c, x.beta = p.pre.window(i0, i1, j0, j1), 0
	case !p.c.rowwise():
		x.c, x.beta = dense(w.floats(slotC, (i1-i0)*(j1-j0)), i1-i0, j1-j0), 0
	}
	x.c.cs = 1
	if !p.bias.none() {
		x.addend = p.bias.row(0, j0, j1, w.floats(slotX, j1-j0))
	}
	x.multiply()
}

// A block is rows [i0, i1) and columns [j0, j1) of a product, on one worker.
type block struct {
	*product
	w              *worker
	c              view // where the sums are made: where they are wanted, or scratch memory where rows are not contiguous
	beta           float32
	addend         []float32 // the bias, until it has been added
	i0, i1, j0, j1 int
}

// multiply adds up depth by depth, the product of low rank last; what follows the sums is done strip by strip while they are in the cache.
func (x *block) multiply() {
	whole, low := blocks(x.a.cols, x.k.depthBlock), blocks(x.u.cols, x.k.depthBlock)
	if x.alpha == 0 {
		whole = 0
	}
	if x.u.none() {
		low = 0
	}
	if whole+low == 0 {
		x.k.scale(x.c, x.beta)
		for i := 0; x.addend != nil && i < x.c.rows; i++ {
			x.k.axpby(x.c.row(i, 0, x.c.cols, nil), x.addend, 1, 1)
		}
		x.finish(0, x.c.rows)
	}
	for part := range whole + low {
		a, b, alpha, l := x.a, &x.b, x.alpha, part
		if part >= whole {
			a, b, alpha, l = x.u, &x.v, 1, part-whole
		}
		l0, l1 := l*x.k.depthBlock, min((l+1)*x.k.depthBlock, a.cols)
		x.accumulate(a.window(x.i0, x.i1, l0, l1), b, l0, alpha, part == whole+low-1)
		x.beta, x.addend = 1, nil
	}
}

// accumulate makes c = alpha·a·b + beta·c, with rows of b from l0 on.
func (x *block) accumulate(a view, b *source, l0 int, alpha float32, last bool) {
	panels, br, next := b.panels(x.k, x.w, l0, l0+a.cols, x.j0, x.j1, a.rows)
	x.k.strips(x.w, &x.c, &a, panels, br, next, alpha, x.beta, x.addend, func(from, to int) {
		if last {
			x.finish(from, to)
		}
	})
}

// strips multiplies strip by strip of a's rows: c = alpha·a·b + bias + beta·c, where panel q of b begins at q·next and its rows are br apart. Each strip is handed to done.
func (k *kernels) strips(w *worker, c, a *view, b []float32, br, next int, alpha, beta float32, bias []float32, done func(from, to int)) {
	panels, n := blocks(c.cols, k.tileCols), blocks(a.rows, k.tileRows)
	direct := k.direct(a, panels)
	var columns []float32
	if !direct && a.rs == 1 && a.cs != 1 {
		columns = k.columns(w, a, n)
	}
	for s := range n {
		i, end := a.rows*s/n, a.rows*(s+1)/n
		rows, ahead := a.data[i*a.rs:], a.data[min(end, a.rows-1)*a.rs:]
		ar, ac := a.rs, a.cs
		switch {
		case columns != nil:
			rows, ar, ac = columns[s*a.cols*k.rowPitch:], 1, k.rowPitch
		case !direct:
			rows, ar, ac = k.rows(w, a.window(i, end, 0, a.cols))
		}
		k.tile[end-i](c.data[i*c.rs:], c.rs, rows, ar, ac, b, br, next, a.cols, c.cols, alpha, beta, bias, ahead, a.rs)
		if done != nil {
			done(i, end)
		}
	}
}

// direct reports whether tiles can read the rows of a as they are, for so many panels.
func (k *kernels) direct(a *view, panels int) bool {
	const page = 4096 / 4 // rows that are pages apart compete for the same lines of the cache
	const few = 4         // panels, for which a copy does not pay
	switch {
	case a.cs == 1:
		return a.rs%page != 0 || panels < few
	case a.rs == 1:
		return panels < few
	}
	return false
}

// columns copies n strips of a left operand whose columns are contiguous: each strip's columns rowPitch apart, one strip after the other. It goes along the rows of
// memory, a few at a time, so that pages and lines are read once.
func (k *kernels) columns(w *worker, a *view, n int) []float32 {
	const few = 32
	size := a.cols * k.rowPitch
	out := w.floats(slotA, n*size)
	for l := 0; l < a.cols; l += few {
		depth := min(few, a.cols-l)
		for s := range n {
			i, end := a.rows*s/n, a.rows*(s+1)/n
			k.stack(out[s*size+l*k.rowPitch:], a.data[l*a.cs+i:], depth, end-i, a.cs, k.rowPitch)
		}
	}
	return out
}

// rows copies a strip of a left operand, by rows.
func (k *kernels) rows(w *worker, a view) (data []float32, ar, ac int) {
	const skew = 16
	pitch := a.cols + skew
	data = w.floats(slotA, a.rows*pitch)
	for i := range a.rows {
		out := data[i*pitch:][:a.cols]
		if a.cs == 1 {
			copy(out, a.data[i*a.rs:])
		} else {
			copy(out, a.row(i, 0, a.cols, out))
		}
	}
	return data, pitch, 1
}

// finish does what follows the sums of rows [from, to) of the block.
func (x *block) finish(from, to int) {
	p := x.product
	inPre := !p.pre.none() && p.pre.rowwise()
	if p.f == nil && p.pre.none() && p.c.rowwise() {
		return
	}
	for i := from; i < to; i++ {
		c := x.c.row(i, 0, x.c.cols, nil)
		if !p.pre.none() && !inPre {
			p.pre.put(x.i0+i, x.j0, c)
		}
		out := c
		if inPre {
			out = x.w.floats(slotOut, len(c))
			if p.c.rowwise() {
				out = p.c.row(x.i0+i, x.j0, x.j1, nil)
			}
		}
		if p.f != nil {
			p.f(out, c)
		} else if inPre {
			copy(out, c)
		}
		if !p.c.rowwise() {
			x.k.store(p.c, x.i0+i, x.j0, out, p.beta)
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
