package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

const (
	queryBlock = 64  // rows of scores that are made at a time
	queryShare = 256 // rows of a task of the forward pass
	keyBlock   = 256 // columns of scores that are made at a time
)

// An attention is the operands of Attention and its gradient. Scores are made in blocks of queryBlock queries and keyBlock keys, as products of tiles; a
// running maximum and sum of each query row join the blocks of keys ("FlashAttention", Dao et al. 2022).
type attention struct {
	k                   *kernels
	a                   *backend.Attention
	q, key, v, out, lse view
	plain               bool // every query sees every key, and scores are just products
	dropper
	dout, dq, dk, dv view
	beta             [3]float32
	dbias            view // a row for each sequence and head, or none
	share            int  // heads of a task: query heads forward, key and value heads backward
}

// A dropper is the dropout of softmax weights; with threshold 0 all are kept as they are.
type dropper struct {
	threshold uint32
	scale     float32
}

// dropperOf is dropout of probability p.
func dropperOf(p float64) dropper {
	if p <= 0 {
		return dropper{scale: 1}
	}
	return dropper{threshold: backend.Threshold(p), scale: float32(1 / (1 - p))}
}

// plain reports whether every query sees every key, and scores are nothing but products.
func plain(a *backend.Attention) bool {
	return !a.Causal && a.Window <= 0 && a.Softcap <= 0 && a.Bias == nil
}

// A head is one query head of one sequence, on one worker. Rows i count from the sequence's first query, keys j from its first key.
type head struct {
	*attention
	w              *worker
	s, h, kvh      int
	q0, q1, k0, k1 int
	first          bool    // of the query heads that read its keys
	sorted         bool    // positions of keys beyond Always never fall
	sights         []sight // what queries see, from query row sightsFrom on; none where all see every key
	sightsFrom     int
}

// Attention makes out = softmax(scale·q·kᵀ + mask)·v for each sequence and head, and lse.
func (b *Backend) Attention(out, lse, q, k, v backend.Mat, a *backend.Attention) {
	t := attention{k: b.kernels, a: a, q: see(q), key: see(k), v: see(v), out: see(out), lse: see(lse), plain: plain(a), dropper: dropperOf(a.Dropout)}
	shares := 0
	for s := range len(a.QStart) - 1 {
		shares += blocks(int(a.QStart[s+1]-a.QStart[s]), queryShare)
	}
	t.share = headsOfTask(shares, a.Heads, b.Threads())
	run(b, shares*blocks(a.Heads, t.share), t)
}

// chunk does a share of the queries of a sequence, for some heads.
func (t *attention) chunk(w *worker, c int) {
	across := blocks(t.a.Heads, t.share)
	s, part := 0, c/across
	for {
		n := blocks(int(t.a.QStart[s+1]-t.a.QStart[s]), queryShare)
		if part < n {
			break
		}
		part -= n
		s++
	}
	from, x := c%across*t.share, t.sequence(w, s)
	i0, to := part*queryShare, min(from+t.share, t.a.Heads)
	i1 := min(i0+queryShare, x.q1-x.q0)
	x.look(i0, i1)
	for h := from; h < to; h++ {
		x.turn(h)
		x.fetch(h+1 < to)
		x.forward(i0, i1)
	}
}

// sequence is sequence s, of which a head is yet to be chosen.
func (t *attention) sequence(w *worker, s int) *head {
	x := &w.head
	*x = head{attention: t, w: w, s: s,
		q0: int(t.a.QStart[s]), q1: int(t.a.QStart[s+1]), k0: int(t.a.KStart[s]), k1: int(t.a.KStart[s+1])}
	return x
}

// turn goes to query head h.
func (t *head) turn(h int) { t.h, t.kvh = h, h*t.a.KVHeads/t.a.Heads }

// columns is the columns of head h of m, rows [i0, i1).
func columns(m *view, i0, i1, h, heads int) view {
	size := m.cols / heads
	return m.window(i0, i1, h*size, (h+1)*size)
}

// panelsOf packs m for tiles, into the slot.
func (k *kernels) panelsOf(w *worker, s slot, m view) []float32 {
	p := w.floats(s, blocks(m.cols, k.tileCols)*k.tileCols*m.rows)
	(&source{view: m}).pack(k, w, p, 0, m.rows, 0, m.cols)
	return p
}

// A softmaxState is what rows of queries have seen so far: the largest score, the sum of the exponentials and that of the values times these.
type softmaxState struct{ top, total, sums []float32 }

// from is the state of row i and those that follow, of values of the given size.
func (s softmaxState) from(i, size int) softmaxState {
	return softmaxState{s.top[i:], s.total[i:], s.sums[i*size:]}
}

// newState is the state of n rows that have seen nothing.
func (t *head) newState(n, size int) softmaxState {
	x := t.w.floats(slotX, n*(2+size))
	s := softmaxState{top: x[:n], total: x[n : 2*n], sums: x[2*n:]}
	fill(s.top, float32(math.Inf(-1)))
	clear(x[n:])
	return s
}

// forward does query rows [i0, i1) of the head.
func (t *head) forward(i0, i1 int) {
	k, d := t.k, t.v.cols/t.a.KVHeads
	state := t.newState(i1-i0, d)
	keys, values := columns(&t.key, t.k0, t.k1, t.kvh, t.a.KVHeads), columns(&t.v, t.k0, t.k1, t.kvh, t.a.KVHeads)
	for j0 := 0; j0 < keys.rows; j0 += keyBlock {
		j1 := min(j0+keyBlock, keys.rows)
		if lo, hi := t.reach(i0, i1, j0, j1); lo >= hi {
			continue
		}
		kp := k.panelsOf(t.w, slotK, keys.window(j0, j1, 0, keys.cols).t())
		vp := k.panelsOf(t.w, slotV, values.window(j0, j1, 0, values.cols))
		for i := i0; i < i1; i += queryBlock {
			t.forwardBlock(i, min(i+queryBlock, i1), j0, j1, kp, vp, state.from(i-i0, d))
		}
	}
	for i := range i1 - i0 {
		t.forwardRow(i0+i, state.sums[i*d:][:d], state.top[i], state.total[i])
	}
}

// forwardBlock adds keys [j0, j1) to what query rows [i0, i1) have seen.
func (t *head) forwardBlock(i0, i1, j0, j1 int, kp, vp []float32, state softmaxState) {
	lo, hi := t.reach(i0, i1, j0, j1)
	if lo >= hi {
		return
	}
	n, d := hi-lo, t.v.cols/t.a.KVHeads
	s := t.products(slotS, &t.q, i0, i1, kp, j0, lo, hi, t.a.Scale)
	for i := range i1 - i0 {
		if i%few == 0 {
			t.touch(&t.out, t.q0+i0+i, t.q0+min(i0+i+few, i1), t.h, t.a.Heads)
		}
		row, at := s.data[i*s.rs:][:n], lo
		if !t.plain {
			row, at = t.seen(row, nil, i0+i, lo)
		}
		t.softmaxRow(row, i0+i, at, i, state, d)
	}
	sums := dense(state.sums, i1-i0, d)
	t.byQueries(&sums, &s, vp[(lo-j0)*t.k.tileCols:], j1-j0, i0, lo, 1, 1)
}

// byQueries makes d = alpha·scores·m + beta·d, of scores of query rows from i0 on with the keys from lo on. m has so many rows, one for a key; its panels
// are given from that key on.
func (t *head) byQueries(d, scores *view, panels []float32, rows, i0, lo int, alpha, beta float32) {
	t.rows(i0, i0+scores.rows, lo, lo+scores.cols, func(from, to, end int) {
		c, a := d.window(from-i0, to-i0, 0, d.cols), scores.window(from-i0, to-i0, 0, end-lo)
		t.k.strips(t.w, &c, &a, panels, t.k.tileCols, t.k.tileCols*rows, alpha, beta, nil, nil)
	})
}

// softmaxRow adds scores of query row i, whose state is number n, with the keys from j0 on.
func (t *head) softmaxRow(row []float32, i, j0, n int, state softmaxState, d int) {
	total := state.total[n]
	top, sum, factor := t.k.softmaxRow(row, state.top[n], total, t.seed(i), uint32(j0), t.threshold, t.scale)
	state.top[n], state.total[n] = top, sum
	if factor != 1 && total > 0 {
		x := state.sums[n*d:][:d]
		t.k.axpby(x, x, factor, 0)
	}
}

// seed is that of the dropout of query row i.
func (t *head) seed(i int) uint32 {
	if t.threshold == 0 {
		return 0
	}
	return backend.RowSeed(t.a.Key, (t.q0+i)*t.a.Heads+t.h)
}

// products makes alpha times the products of query rows [i0, i1) of m with keys [lo, hi), of which panels are those from j0 on. What a row does not see may be left out.
func (t *head) products(s slot, m *view, i0, i1 int, panels []float32, j0, lo, hi int, alpha float64) view {
	const pitch = keyBlock + 16 // off the powers of two, so that rows do not compete for lines of the cache
	out := view{data: t.w.floats(s, queryBlock*pitch), rows: i1 - i0, cols: hi - lo, rs: pitch, cs: 1}
	t.rows(i0, i1, lo, hi, func(from, to, end int) {
		c, a := out.window(from-i0, to-i0, 0, end-lo), columns(m, t.q0+from, t.q0+to, t.h, t.a.Heads)
		t.k.strips(t.w, &c, &a, panels[(lo-j0)*a.cols:], t.k.tileCols, t.k.tileCols*a.cols, float32(alpha), 0, nil, nil)
	})
	return out
}

// forwardRow makes row i of out and lse from its sums.
func (t *head) forwardRow(i int, sum []float32, top, total float32) {
	lse, factor := float32(math.Inf(-1)), float32(1)
	if total > 0 || total != total {
		lse, factor = float32(float64(top)+math.Log(float64(total))), 1/total
	}
	t.lse.set(t.q0+i, t.h, lse)
	if t.out.rowwise() {
		at := (t.q0+i)*t.out.rs + t.h*len(sum)
		t.k.axpby(t.out.data[at:at+len(sum)], sum, factor, 0)
		return
	}
	t.k.axpby(sum, sum, factor, 0)
	t.out.put(t.q0+i, t.h*len(sum), sum)
}
