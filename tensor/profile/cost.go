package profile

import "peft/tensor/internal/backend"

const numberBytes = 4 // of a number in a buffer

// read is the bytes of operands, repeated rows and columns once.
func read(all ...backend.Mat) (bytes int) {
	for _, m := range all {
		rows, cols := m.Rows, m.Cols
		if m.RowStride == 0 {
			rows = min(rows, 1)
		}
		if m.ColStride == 0 {
			cols = min(cols, 1)
		}
		bytes += numberBytes * rows * cols
	}
	return bytes
}

// optional is the bytes of operands that may be missing.
func optional(all ...*backend.Mat) (bytes int) {
	for _, m := range all {
		if m != nil {
			bytes += read(*m)
		}
	}
	return bytes
}

// update is the bytes of a result, which is read first where beta is not 0.
func update(dst backend.Mat, beta float64) int {
	if beta == 0 {
		return read(dst)
	}
	return 2 * read(dst)
}

// maybe is update of a result that may be missing.
func maybe(dst *backend.Mat, beta float64) int {
	if dst == nil {
		return 0
	}
	return update(*dst, beta)
}

// product is the operations of a product [m×k]·[k×n].
func product(m, k, n int) int { return 2 * m * k * n }

// lowRank is the operations and bytes of the product u·v or u·vᵀ, n columns wide.
func lowRank(l *backend.LowRank, n int) (flops, bytes int) {
	if l == nil {
		return 0, 0
	}
	return product(l.U.Rows, l.U.Cols, n), read(l.U, l.V)
}

// pairs is how many pairs of a query and a key see each other, in one head.
func pairs(a *backend.Attention) (n int) {
	for s := range len(a.QStart) - 1 {
		q0, q1, k0, k1 := a.QStart[s], a.QStart[s+1], a.KStart[s], a.KStart[s+1]
		if !a.Causal && a.Window <= 0 {
			n += int(q1-q0) * int(k1-k0)
			continue
		}
		for q := q0; q < q1; q++ {
			n += seen(a, a.QPos[q], a.KPos[k0:k1])
		}
	}
	return n
}

// seen is how many keys of its sequence a query sees.
func seen(a *backend.Attention, q int32, keys []int32) (n int) {
	for j, k := range keys {
		if j < a.Always || (!a.Causal || k <= q) && (a.Window <= 0 || int(k) > int(q)-a.Window) {
			n++
		}
	}
	return n
}

// attention is the operations of q·kᵀ, so many times, and of the products with v, so many times.
func attention(a *backend.Attention, q, v backend.Mat, scores, values int) int {
	return 2 * pairs(a) * (scores*q.Cols + values*v.Cols/a.KVHeads*a.Heads)
}
