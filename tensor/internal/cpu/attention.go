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
	dout, dq, dk, dv    view
	dbias               view // of KVHeads·sequences blocks of Heads/KVHeads rows, or none
	needBias            bool
	share               int // query rows of a task
}

// A head is one query head of one sequence, on one worker. Rows i count from the sequence's first query, keys j from its first key.
type head struct {
	*attention
	w              *worker
	s, h, kvh      int
	q0, q1, k0, k1 int
	dim            int
	sorted         bool // positions of keys beyond Always never fall
}

// Attention makes out = softmax(scale·q·kᵀ + mask)·v for each sequence and head, and lse.
func (b *Backend) Attention(out, lse, q, k, v backend.Mat, a *backend.Attention) {
	t := attention{k: b.kernels, a: a, q: see(q), key: see(k), v: see(v), out: see(out), lse: see(lse), share: queryShare}
	shares := 0
	for s := range len(a.QStart) - 1 {
		shares += blocks(int(a.QStart[s+1]-a.QStart[s]), t.share)
	}
	run(b, shares*a.Heads, t)
}

// chunk does share c/Heads of the queries, for one head.
func (t *attention) chunk(w *worker, c int) {
	s, part := 0, c/t.a.Heads
	for {
		n := blocks(int(t.a.QStart[s+1]-t.a.QStart[s]), t.share)
		if part < n {
			break
		}
		part -= n
		s++
	}
	h := t.head(w, s, c%t.a.Heads)
	i0 := part * t.share
	h.forward(i0, min(i0+t.share, h.q1-h.q0))
}

// head is query head h of sequence s.
func (t *attention) head(w *worker, s, h int) *head {
	kvh := h * t.a.KVHeads / t.a.Heads
	x := head{attention: t, w: w, s: s, h: h, kvh: kvh, dim: t.q.cols / t.a.Heads,
		q0: int(t.a.QStart[s]), q1: int(t.a.QStart[s+1]), k0: int(t.a.KStart[s]), k1: int(t.a.KStart[s+1])}
	x.sorted = true
	if t.a.Causal || t.a.Window > 0 {
		for j := x.k0 + t.a.Always + 1; j < x.k1; j++ {
			x.sorted = x.sorted && t.a.KPos[j-1] <= t.a.KPos[j]
		}
	}
	return &x
}

// columns is the columns of head h of m, rows [i0, i1).
func columns(m view, i0, i1, h, heads int) view {
	size := m.cols / heads
	return m.window(i0, i1, h*size, (h+1)*size)
}

// copyRows makes dst = a·m, densely.
func (k *kernels) copyRows(dst []float32, m view, a float32) {
	for i := range m.rows {
		out := dst[i*m.cols:][:m.cols]
		k.axpby(out, m.row(i, 0, m.cols, out), a, 0)
	}
}

// panelsOf packs m for tiles, into n numbers or more of the slot.
func (k *kernels) panelsOf(w *worker, s slot, m view) []float32 {
	p := w.floats(s, blocks(m.cols, k.tileCols)*k.tileCols*m.rows)
	(&source{view: m}).pack(k, w, p, 0, m.rows, 0, m.cols)
	return p
}

// forward does query rows [i0, i1) of the head.
func (t *head) forward(i0, i1 int) {
	k, n, d := t.k, i1-i0, t.v.cols/t.a.KVHeads
	q, sums := t.w.floats(slotQ, n*t.dim), t.w.floats(slotOut, n*d)
	k.copyRows(q, columns(t.q, t.q0+i0, t.q0+i1, t.h, t.a.Heads), float32(t.a.Scale))
	state := t.w.floats(slotX, 2*n)
	top, total := state[:n], state[n:]
	fill(top, float32(math.Inf(-1)))
	clear(total)
	clear(sums)
	keys, values := columns(t.key, t.k0, t.k1, t.kvh, t.a.KVHeads), columns(t.v, t.k0, t.k1, t.kvh, t.a.KVHeads)
	for j0 := 0; j0 < keys.rows; j0 += keyBlock {
		j1 := min(j0+keyBlock, keys.rows)
		if lo, hi := t.reach(i0, i1, j0, j1); lo >= hi {
			continue
		}
		kp := k.panelsOf(t.w, slotK, keys.window(j0, j1, 0, keys.cols).t())
		vp := k.panelsOf(t.w, slotV, values.window(j0, j1, 0, values.cols))
		for i := i0; i < i1; i += queryBlock {
			e, at := min(i+queryBlock, i1), i-i0
			t.forwardBlock(i, e, j0, j1, q[at*t.dim:], kp, vp, sums[at*d:], top[at:], total[at:])
		}
	}
	for i := range n {
		t.forwardRow(i0+i, sums[i*d:][:d], top[i], total[i])
	}
}

// forwardBlock adds keys [j0, j1) to what query rows [i0, i1) have seen.
func (t *head) forwardBlock(i0, i1, j0, j1 int, q, kp, vp, sums, top, total []float32) {
	lo, hi := t.reach(i0, i1, j0, j1)
	if lo >= hi {
		return
	}
	k, n, d := t.k, hi-lo, t.v.cols/t.a.KVHeads
	s := t.scoresBlock(q, kp, i1-i0, lo-j0, hi-j0, j1-j0)
	for i := range s.rows {
		row := s.row(i, 0, n, nil)
		from, to := t.score(row, nil, i0+i, lo)
		clear(row[:from])
		clear(row[to:])
		row = row[from:to]
		m := max(top[i], k.max(row))
		if math.IsInf(float64(m), -1) {
			clear(row)
			continue
		}
		if m > top[i] && total[i] > 0 {
			f := exp32(top[i] - m)
			total[i] *= f
			k.axpby(sums[i*d:][:d], sums[i*d:][:d], f, 0)
		}
		top[i] = m
		total[i] += k.expSum(row, row, 1, m)
		t.drop(row, row, i0+i, lo+from)
	}
	k.tilesFrom(t.w, dense(sums, s.rows, d), s, vp, lo-j0, j1-j0, 1, 1)
}

// scoresBlock makes products of rows of q with keys [lo, hi) of a packed block of n keys.
func (t *head) scoresBlock(q, kp []float32, rows, lo, hi, n int) view {
	const pitch = keyBlock + 16 // off the powers of two, so that rows do not compete for lines of the cache
	s := view{data: t.w.floats(slotS, queryBlock*pitch), rows: rows, cols: hi - lo, rs: pitch, cs: 1}
	t.k.tiles(t.w, s, dense(q, rows, t.dim), kp[lo*t.dim:], t.k.tileCols, t.k.tileCols*t.dim, 1, 0)
	return s
}

// tilesFrom is tiles for an inner dimension that begins at row l0 of panels of the given depth.
func (k *kernels) tilesFrom(w *worker, c, a view, panels []float32, l0, depth int, alpha, beta float32) {
	k.tiles(w, c, a, panels[l0*k.tileCols:], k.tileCols, k.tileCols*depth, alpha, beta)
}

// forwardRow makes row i of out and lse from its sums.
func (t *head) forwardRow(i int, sum []float32, top, total float32) {
	lse := float32(math.Inf(-1))
	if total > 0 || total != total {
		lse = float32(float64(top) + math.Log(float64(total)))
		t.k.axpby(sum, sum, 1/total, 0)
	}
	t.lse.set(t.q0+i, t.h, lse)
	t.out.put(t.q0+i, t.h*len(sum), sum)
}
