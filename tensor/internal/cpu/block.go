package cpu

// A block is rows [i0, i1) and columns [j0, j1) of a product, on one worker.
type block struct {
	*product
	w              *worker
	c              view // where the sums are made: where they are wanted, or scratch memory where rows are not contiguous
	beta           float32
	addend         []float32 // the bias, until it has been added
	inPre          bool      // sums are made in pre
	low            lowRank
	i0, i1, j0, j1 int
}

// chunk does block t of c. Blocks below each other follow one another, so that a thread finds the panels in its cache.
func (p *product) chunk(w *worker, t int) {
	i0, j0 := t%p.down*p.mBlock, t/p.down*p.nBlock
	i1, j1 := min(i0+p.mBlock, p.c.rows), min(j0+p.nBlock, p.c.cols)
	x := block{product: p, w: w, c: p.c.window(i0, i1, j0, j1), beta: p.beta, i0: i0, i1: i1, j0: j0, j1: j1}
	switch {
	case !p.pre.none() && p.pre.rowwise():
		x.c, x.beta, x.inPre = p.pre.window(i0, i1, j0, j1), 0, true
	case !p.c.rowwise():
		x.c, x.beta = dense(w.floats(slotC, (i1-i0)*(j1-j0)), i1-i0, j1-j0), 0
	}
	x.c.cs = 1
	if !p.bias.none() {
		x.addend = p.bias.row(0, j0, j1, w.floats(slotX, j1-j0))
	}
	x.multiply()
}

// multiply adds up the products. That of low rank follows the other strip by strip, while the sums are in the cache.
func (x *block) multiply() {
	whole, low := x.alpha != 0 && x.a.cols > 0, !x.u.none() && x.u.cols > 0
	if whole && low {
		x.low = x.lowRank()
	}
	switch {
	case whole && x.b.halves():
		x.addPairs(&x.a, &x.b)
	case whole:
		x.add(&x.a, &x.b, x.alpha)
	case low:
		x.add(&x.u, &x.v, 1)
	default:
		x.k.scale(x.c, x.beta)
		for i := 0; x.addend != nil && i < x.c.rows; i++ {
			x.k.axpby(x.c.row(i, 0, x.c.cols, nil), x.addend, 1, 1)
		}
		x.finish(0, x.c.rows)
	}
}

// add makes c = alpha·a·b + bias + beta·c, a block of depth at a time. After the last one, what follows the sums is done strip by strip while they are in the cache.
func (x *block) add(a *view, b *source, alpha float32) {
	for l0 := 0; l0 < a.cols; l0 += x.k.depthBlock {
		l1 := min(l0+x.k.depthBlock, a.cols)
		part := a.window(x.i0, x.i1, l0, l1)
		panels, br, next := b.panels(x.k, x.w, slotB, l0, l1, x.j0, x.j1, part.rows)
		x.k.strips(x.w, &x.c, &part, panels, br, next, alpha, x.beta, x.addend, func(from, to int) {
			if l1 == a.cols {
				x.finish(from, to)
			}
		})
		x.beta, x.addend = 1, nil
	}
}

// A lowRank is a product that follows another one strip by strip: rows of u, of which a row or a column is contiguous, and panels of v.
type lowRank struct {
	u        view
	panels   []float32
	br, next int
}

// lowRank is that of the block.
func (x *block) lowRank() (low lowRank) {
	low.u = x.u.window(x.i0, x.i1, 0, x.u.cols)
	if low.u.cs != 1 && low.u.rs != 1 {
		low.u.data, low.u.rs, low.u.cs = x.k.rows(x.w, slotU, low.u)
	}
	low.panels, low.br, low.next = x.v.panels(x.k, x.w, slotLow, 0, x.v.rows, x.j0, x.j1, x.c.rows)
	return low
}

// add makes c = u·v + c, for the rows of u from one on.
func (low *lowRank) add(k *kernels, c view, from int) {
	for i := 0; i < c.rows; i += k.tileRows {
		n, u := min(k.tileRows, c.rows-i), low.u.data[(from+i)*low.u.rs:]
		k.tile[n](c.data[i*c.rs:], c.rs, u, low.u.rs, low.u.cs, low.panels, low.br, low.next, low.u.cols, c.cols, 1, 1, nil, u, low.u.rs)
	}
}

// finish does what follows the sums of rows [from, to) of the block.
func (x *block) finish(from, to int) {
	if !x.low.u.none() {
		x.low.add(x.k, x.c.window(from, to, 0, x.c.cols), from)
	}
	if x.f == nil && x.pre.none() && x.product.c.rowwise() {
		return
	}
	for i := from; i < to; i++ {
		x.finishRow(i, x.c.row(i, 0, x.c.cols, nil))
	}
}

// finishRow takes the sums of row i of the block to where they are wanted, through the function.
func (x *block) finishRow(i int, sums []float32) {
	p, out := x.product, sums
	switch {
	case x.inPre && p.c.rowwise():
		out = p.c.row(x.i0+i, x.j0, x.j1, nil)
	case x.inPre:
		out = x.w.floats(slotOut, len(sums))
	case !p.pre.none():
		p.pre.put(x.i0+i, x.j0, sums)
	}
	switch {
	case p.f != nil:
		p.f(out, sums)
	case x.inPre:
		copy(out, sums)
	}
	if !p.c.rowwise() {
		x.k.store(p.c, x.i0+i, x.j0, out, p.beta)
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
