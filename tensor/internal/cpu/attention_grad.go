package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

// AttentionGrad makes dq, dk, dv (= beta·d + gradient) of Attention, and adds to dbias.
func (b *Backend) AttentionGrad(dq, dk, dv, dbias *backend.Mat, dout, q, k, v, out, lse backend.Mat, a *backend.Attention, beta [3]float64) {
	g := attentionGrad{k: b.kernels, a: a, q: see(q), key: see(k), v: see(v), out: see(out), lse: see(lse), dout: see(dout)}
	var back [3]func()
	g.dq, back[0] = b.gradient(dq, beta[0])
	g.dk, back[1] = b.gradient(dk, beta[1])
	g.dv, back[2] = b.gradient(dv, beta[2])
	tasks := (len(a.QStart) - 1) * a.KVHeads
	var bias *buffer
	if dbias != nil {
		bias = b.pool.get(max(tasks*a.Heads/a.KVHeads*dbias.Cols, 1))
		g.dbias = dense(bias.data, tasks*a.Heads/a.KVHeads, dbias.Cols)
		clear(bias.data)
	}
	run(b, tasks, g)
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

// gradient is d, started with beta·d, to be added to; where rows of d are not contiguous it is a copy, and back brings it home.
func (b *Backend) gradient(d *backend.Mat, beta float64) (v view, back func()) {
	if d == nil {
		return view{}, nil
	}
	v = see(*d)
	if v.rowwise() {
		switch beta {
		case 0:
			b.Fill(*d, 0)
		case 1:
		default:
			b.Axpby(*d, beta, *d, 0)
		}
		v.cs = 1
		return v, nil
	}
	m := backend.Dense(b.Alloc(max(d.Rows*d.Cols, 1)), 0, d.Rows, d.Cols)
	b.Fill(m, 0)
	return see(m), func() {
		b.Axpby(*d, 1, m, beta)
		b.Free(m.Buf)
	}
}

// attentionGrad is the backward pass of an attention: a task is a sequence and a key and value head, with all query heads that read it.
type attentionGrad attention

// chunk does task c. Blocks of scores are made anew from q, k and lse, once for each block of keys.
func (g *attentionGrad) chunk(w *worker, c int) {
	t := (*attention)(g)
	s, kvh, group := c/t.a.KVHeads, c%t.a.KVHeads, t.a.Heads/t.a.KVHeads
	for h := kvh * group; h < (kvh+1)*group; h++ {
		x := t.head(w, s, h)
		n := x.k1 - x.k0
		for j0 := 0; j0 < n; j0 += keyBlock {
			x.backward(j0, min(j0+keyBlock, n))
		}
	}
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
	keys, values := columns(t.key, t.k0+j0, t.k0+j1, t.kvh, kv), columns(t.v, t.k0+j0, t.k0+j1, t.kvh, kv)
	b := gradBlock{j0: j0, j1: j1, keysT: k.panelsOf(t.w, slotK, keys.t()), valuesT: k.panelsOf(t.w, slotV, values.t())}
	if !t.dq.none() {
		b.keys = k.panelsOf(t.w, slotB, keys)
	}
	if !t.dk.none() {
		b.dk = columns(t.dk, t.k0+j0, t.k0+j1, t.kvh, kv)
		b.dv = columns(t.dv, t.k0+j0, t.k0+j1, t.kvh, kv)
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
	k, rows, dv := t.k, i1-i0, t.v.cols/t.a.KVHeads
	q, dout := t.w.floats(slotQ, rows*t.dim), t.w.floats(slotZ, rows*dv)
	k.copyRows(q, columns(t.q, t.q0+i0, t.q0+i1, t.h, t.a.Heads), float32(t.a.Scale))
	k.copyRows(dout, columns(t.dout, t.q0+i0, t.q0+i1, t.h, t.a.Heads), 1)
	p := t.scoresBlock(q, b.keysT, rows, lo-b.j0, hi-b.j0, b.j1-b.j0)
	e := p
	e.data = t.w.floats(slotP, len(p.data))
	k.tiles(t.w, e, dense(dout, rows, dv), b.valuesT[(lo-b.j0)*dv:], k.tileCols, k.tileCols*dv, 1, 0)
	for i := range rows {
		t.backwardRow(i0+i, lo, p.row(i, 0, p.cols, nil), e.row(i, 0, p.cols, nil), dout[i*dv:][:dv])
	}
	if !t.dk.none() {
		k.tiles(t.w, b.dv.window(lo-b.j0, hi-b.j0, 0, dv), p.t(), dout, dv, k.tileCols, 1, 1)
		k.tiles(t.w, b.dk.window(lo-b.j0, hi-b.j0, 0, t.dim), e.t(), q, t.dim, k.tileCols, 1, 1)
	}
	if !t.dq.none() {
		dq := columns(t.dq, t.q0+i0, t.q0+i1, t.h, t.a.Heads)
		k.tilesFrom(t.w, dq, e, b.keys, lo-b.j0, b.j1-b.j0, float32(t.a.Scale), 1)
	}
}

// backwardRow turns the products p of query row i with the keys from j0 on into kept weights, and the products e of its dout with the values into the
// gradient by the products.
func (t *head) backwardRow(i, j0 int, p, e, dout []float32) {
	k, n := t.k, len(p)
	lse := t.lse.at(t.q0+i, t.h)
	if math.IsInf(float64(lse), -1) {
		clear(p)
		clear(e)
		return
	}
	var slope []float32
	if t.a.Softcap > 0 {
		slope = t.w.floats(slotY, n)
	}
	from, to := t.score(p, slope, i, j0)
	clear(p[:from])
	clear(p[to:])
	clear(e[:from])
	clear(e[to:])
	p, e = p[from:to], e[from:to]
	k.expSum(p, p, 1, lse)
	t.drop(e, e, i, j0+from)
	out := columns(t.out, t.q0+i, t.q0+i+1, t.h, t.a.Heads)
	mean := k.dot(dout, out.row(0, 0, out.cols, t.w.floats(slotX, out.cols)))
	k.slopeSoftmax(e, p, e, mean)
	t.drop(p, p, i, j0+from)
	if !t.dbias.none() {
		t.addBias(e, i, j0+from)
	}
	if slope != nil {
		k.binary[backend.Mul](e, e, slope[from:to])
	}
}

// addBias adds the gradient by scores to that of the bias.
func (t *head) addBias(e []float32, i, j0 int) {
	row := t.s*t.a.Heads + t.h
	bias := t.dbias.row(row, 0, t.dbias.cols, nil)
	for j, v := range e {
		bias[t.bucket(i, j0+j)] += v
	}
}
