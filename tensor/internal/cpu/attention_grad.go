package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

// AttentionGrad makes dq, dk, dv (= beta·d + gradient) of Attention, and adds to dbias.
func (b *Backend) AttentionGrad(dq, dk, dv, dbias *backend.Mat, dout, q, k, v, out, lse backend.Mat, a *backend.Attention, beta [3]float64) {
	g := attentionGrad{k: b.kernels, a: a, q: see(q), key: see(k), v: see(v), out: see(out), lse: see(lse), dout: see(dout), plain: plain(a), dropper: dropperOf(a.Dropout)}
	var back [3]func()
	g.dq, g.beta[0], back[0] = b.gradient(dq, beta[0])
	g.dk, g.beta[1], back[1] = b.gradient(dk, beta[1])
	g.dv, g.beta[2], back[2] = b.gradient(dv, beta[2])
	sequences := len(a.QStart) - 1
	var bias *buffer
	if dbias != nil {
		bias = b.pool.get(max(sequences*a.Heads*dbias.Cols, 1))
		g.dbias = dense(bias.data, sequences*a.Heads, dbias.Cols)
		clear(bias.data)
	}
	g.share = headsOfTask(sequences, a.KVHeads, b.Threads())
	run(b, sequences*blocks(a.KVHeads, g.share), g)
	for _, f := range back {
		if f != nil {
			f()
		}
	}
	if dbias != nil {
		d := see(*dbias)
		for i := range g.dbias.rows {
			b.kernels.store(d, i%a.Heads, 0, g.dbias.row(i, 0, d.cols, nil), 1)
		}
		b.pool.put(bias)
	}
}

// gradient is d and what it is to be multiplied by; where rows of d are not contiguous it is scratch memory, and back brings that home.
func (b *Backend) gradient(d *backend.Mat, beta float64) (v view, factor float32, back func()) {
	if d == nil {
		return view{}, 0, nil
	}
	v = see(*d)
	if v.rowwise() {
		v.cs = 1
		return v, float32(beta), nil
	}
	m := backend.Dense(b.Alloc(max(d.Rows*d.Cols, 1)), 0, d.Rows, d.Cols)
	return see(m), 0, func() {
		b.Axpby(*d, 1, m, beta)
		b.Free(m.Buf)
	}
}

// attentionGrad is the backward pass of an attention: a task is a sequence and some key and value heads, with all query heads that read them.
type attentionGrad attention

// chunk does task c. Blocks of scores are made anew from q, k and lse, once for each block of keys.
func (g *attentionGrad) chunk(w *worker, c int) {
	t := (*attention)(g)
	shares, group := blocks(t.a.KVHeads, t.share), t.a.Heads/t.a.KVHeads
	s, from := c/shares, c%shares*t.share
	to, x := min(from+t.share, t.a.KVHeads), t.sequence(w, s)
	x.look(0, x.q1-x.q0)
	for h := from * group; h < to*group; h++ {
		x.turn(h)
		x.fetch(h+1 < to*group)
		x.start(h%group == 0)
		n := x.k1 - x.k0
		for j0 := 0; j0 < n; j0 += keyBlock {
			x.backward(j0, min(j0+keyBlock, n))
		}
	}
}

// headsOfTask is how many heads of a sequence make a task: neighbours lie side by side in memory, so the fewer tasks the better, if they occupy all threads.
func headsOfTask(sequences, heads, threads int) int {
	const most = 4
	return max(1, min(most, sequences*heads/(8*threads)))
}

// fetch brings what the next head reads first to the cache if there is one.
func (t *head) fetch(next bool) {
	if !next {
		return
	}
	h := t.h + 1
	t.touch(&t.q, t.q0, t.q1, h, t.a.Heads)
	if kvh := h * t.a.KVHeads / t.a.Heads; kvh != t.kvh {
		t.touch(&t.key, t.k0, t.k1, kvh, t.a.KVHeads)
		t.touch(&t.v, t.k0, t.k1, kvh, t.a.KVHeads)
	}
	if !t.dout.none() {
		t.touch(&t.dout, t.q0, t.q1, h, t.a.Heads)
	}
}

const few = 4 // rows that are fetched together

// touch brings rows [i0, i1) of head h of m to the cache.
func (t *head) touch(m *view, i0, i1, h, heads int) {
	const most = 256 // rows, of what is read before the cache needs the room
	if !m.none() && m.rowwise() && i1-i0 <= most && i0 < i1 {
		x := columns(m, i0, i1, h, heads)
		t.k.touch(x.data, x.rows, x.cols, x.rs)
	}
}

// start multiplies the gradients of the head by beta, those of keys and values if it is the first that reads them. Where every query sees every key, what comes first does it as it is added.
func (t *head) start(first bool) {
	t.first = first
	if t.all() {
		return
	}
	if !t.dq.none() {
		t.k.scale(columns(&t.dq, t.q0, t.q1, t.h, t.a.Heads), t.beta[0])
	}
	if first && !t.dk.none() {
		t.k.scale(columns(&t.dk, t.k0, t.k1, t.kvh, t.a.KVHeads), t.beta[1])
		t.k.scale(columns(&t.dv, t.k0, t.k1, t.kvh, t.a.KVHeads), t.beta[2])
	}
}

// all reports whether there are queries and keys, and all of them see each other.
func (t *head) all() bool { return t.plain && t.q0 < t.q1 && t.k0 < t.k1 }

// betas are what the gradients by queries, keys and values are multiplied by before queries from i0 on and keys from j0 on add to them.
func (t *head) betas(i0, j0 int) (b [3]float32) {
	b = [3]float32{1, 1, 1}
	if t.all() && j0 == 0 {
		b[0] = t.beta[0]
	}
	if t.all() && i0 == 0 && t.first {
		b[1], b[2] = t.beta[1], t.beta[2]
	}
	return b
}

// A gradBlock is the packed keys and values [j0, j1) of a head.
type gradBlock struct {
	j0, j1               int
	keysT, valuesT, keys []float32
	dk, dv               view
}

// backward adds what keys [j0, j1) contribute to the gradients.
func (t *head) backward(j0, j1 int) {
	n := t.q1 - t.q0
	if lo, hi := t.reach(0, n, j0, j1); lo >= hi {
		return
	}
	k, kv := t.k, t.a.KVHeads
	keys, values := columns(&t.key, t.k0+j0, t.k0+j1, t.kvh, kv), columns(&t.v, t.k0+j0, t.k0+j1, t.kvh, kv)
	b := gradBlock{j0: j0, j1: j1, keysT: k.panelsOf(t.w, slotK, keys.t()), valuesT: k.panelsOf(t.w, slotV, values.t())}
	if !t.dq.none() {
		b.keys = k.panelsOf(t.w, slotB, keys)
	}
	if !t.dk.none() {
		b.dk = columns(&t.dk, t.k0+j0, t.k0+j1, t.kvh, kv)
		b.dv = columns(&t.dv, t.k0+j0, t.k0+j1, t.kvh, kv)
	}
	for i := 0; i < n; i += queryBlock {
		t.backwardBlock(i, min(i+queryBlock, n), &b)
	}
}

// backwardBlock adds what query rows [i0, i1) contribute by the keys of b: with w the weights, p = w∘kept and e = w∘(kept∘(dout·vᵀ) − D) the gradient by
// the scores, dv += pᵀ·dout, dk += eᵀ·q and dq += e·k.
func (t *head) backwardBlock(i0, i1 int, b *gradBlock) {
	lo, hi := t.reach(i0, i1, b.j0, b.j1)
	if lo >= hi {
		return
	}
	p := t.products(slotS, &t.q, i0, i1, b.keysT, b.j0, lo, hi, t.a.Scale)
	e := t.products(slotP, &t.dout, i0, i1, b.valuesT, b.j0, lo, hi, 1)
	for i := range i1 - i0 {
		t.ahead(i, i1-i0, i0, lo, hi)
		t.backwardRow(i0+i, lo, p.data[i*p.rs:][:p.cols], e.data[i*e.rs:][:e.cols])
	}
	scale, beta := float32(t.a.Scale), t.betas(i0, b.j0)
	if !t.dk.none() {
		dk, dv := b.dk.window(lo-b.j0, hi-b.j0, 0, b.dk.cols), b.dv.window(lo-b.j0, hi-b.j0, 0, b.dv.cols)
		t.byKeys(&dv, &t.dout, &p, i0, lo, 1, beta[2])
		t.byKeys(&dk, &t.q, &e, i0, lo, scale, beta[1])
	}
	if !t.dq.none() {
		dq := columns(&t.dq, t.q0+i0, t.q0+i1, t.h, t.a.Heads)
		t.byQueries(&dq, &e, b.keys[(lo-b.j0)*t.k.tileCols:], b.j1-b.j0, i0, lo, scale, beta[0])
	}
}

// byKeys makes d = alpha·scoresᵀ·m + beta·d, of scores of query rows from i0 on, as are rows of m, with the keys from lo on, as are rows of d.
func (t *head) byKeys(d, m, scores *view, i0, lo int, alpha, beta float32) {
	rows := columns(m, t.q0+i0, t.q0+i0+scores.rows, t.h, t.a.Heads)
	panels, cols := t.k.panelsOf(t.w, slotQ, rows), scores.t()
	t.keys(i0, i0+scores.rows, lo, lo+scores.cols, func(from, to, start int) {
		c, a := d.window(from-lo, to-lo, 0, rows.cols), cols.window(from-lo, to-lo, start-i0, cols.cols)
		t.k.strips(t.w, &c, &a, panels[(start-i0)*t.k.tileCols:], t.k.tileCols, t.k.tileCols*rows.rows, alpha, beta, nil, nil)
	})
}

// ahead fetches what is needed after row i of the n from i0 on, a few rows at a time: more at once than the processor can wait for would not be fetched. These are the next rows of out, and those
// of the gradients to which the block adds first, which are spread over its rows.
func (t *head) ahead(i, n, i0, lo, hi int) {
	if i%few != 0 {
		return
	}
	end := min(i+few, n)
	t.touch(&t.out, t.q0+i0+end, min(t.q0+i0+end+few, t.q1), t.h, t.a.Heads)
	t.touch(&t.dq, t.q0+i0+i, t.q0+i0+end, t.h, t.a.Heads)
	if i0 == 0 {
		from, to := t.k0+lo+(hi-lo)*i/n, t.k0+lo+(hi-lo)*end/n
		t.touch(&t.dk, from, to, t.kvh, t.a.KVHeads)
		t.touch(&t.dv, from, to, t.kvh, t.a.KVHeads)
	}
}

// backwardRow turns the products p of query row i with the keys from j0 on into kept weights, and the products e of its dout with the values into the
// gradient by the products.
func (t *head) backwardRow(i, j0 int, p, e []float32) {
	lse := t.lse.at(t.q0+i, t.h)
	if math.IsInf(float64(lse), -1) {
		clear(p)
		clear(e)
		return
	}
	var slope []float32
	if !t.plain {
		if t.a.Softcap > 0 {
			slope = t.w.floats(slotY, len(p))
		}
		whole, first := e, j0
		p, j0 = t.seen(p, slope, i, j0)
		e = e[j0-first:][:len(p)]
		clear(whole[:j0-first])
		clear(whole[j0-first+len(p):])
		if slope != nil {
			slope = slope[j0-first:][:len(p)]
		}
	}
	t.k.gradRow(p, e, lse, t.mean(i), t.seed(i), uint32(j0), t.threshold, t.scale)
	if !t.dbias.none() {
		t.addBias(e, i, j0)
	}
	if slope != nil {
		t.k.binary[backend.Mul](e, e, slope)
	}
}

// mean is Σ dout·out of row i.
func (t *head) mean(i int) float32 {
	size := t.out.cols / t.a.Heads
	from, to := t.h*size, (t.h+1)*size
	return t.k.dot(t.dout.row(t.q0+i, from, to, t.w.floats(slotX, size)), t.out.row(t.q0+i, from, to, t.w.floats(slotZ, size)))
}

// addBias adds the gradient by scores to that of the bias.
func (t *head) addBias(e []float32, i, j0 int) {
	row := t.s*t.a.Heads + t.h
	bias := t.dbias.row(row, 0, t.dbias.cols, nil)
	for j, v := range e {
		bias[t.bucket(i, j0+j)] += v
	}
}
