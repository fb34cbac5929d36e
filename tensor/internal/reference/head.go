package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// A head is one head of one sequence: query rows [q0, q1), key rows [k0, k1), query head h with its key and value head kvh.
type head struct {
	a              *backend.Attention
	q, k, v        backend.Mat // columns of this head only
	h, kvh         int
	q0, q1, k0, k1 int
}

// eachHead calls f for all heads of all sequences.
func eachHead(q, k, v backend.Mat, a *backend.Attention, f func(head)) {
	for s := range len(a.QStart) - 1 {
		for h := range a.Heads {
			kvh := h * a.KVHeads / a.Heads
			f(head{
				a: a, h: h, kvh: kvh,
				q: headOf(q, h, a.Heads), k: headOf(k, kvh, a.KVHeads), v: headOf(v, kvh, a.KVHeads),
				q0: int(a.QStart[s]), q1: int(a.QStart[s+1]), k0: int(a.KStart[s]), k1: int(a.KStart[s+1]),
			})
		}
	}
}

// headOf is the columns of head h of m.
func headOf(m backend.Mat, h, heads int) backend.Mat {
	size := m.Cols / heads
	return m.Slice(0, m.Rows, h*size, (h+1)*size)
}

// headOrNil is headOf, of nothing nothing.
func headOrNil(m *backend.Mat, h, heads int) *backend.Mat {
	if m == nil {
		return nil
	}
	part := headOf(*m, h, heads)
	return &part
}

// eachKey calls f for the key rows that query row i sees.
func (t head) eachKey(i int, f func(j int)) {
	for j := t.k0; j < t.k1; j++ {
		if t.sees(i, j) {
			f(j)
		}
	}
}

// sees reports whether query row i sees key row j: one of the first Always keys, or not after i where Causal, and less than Window before where Window > 0.
func (t head) sees(i, j int) bool {
	if j-t.k0 < t.a.Always {
		return true
	}
	if t.a.Causal && t.a.KPos[j] > t.a.QPos[i] {
		return false
	}
	return t.a.Window <= 0 || int(t.a.KPos[j]) > int(t.a.QPos[i])-t.a.Window
}

// score is s[i][j].
func (t head) score(i, j int) float64 {
	s := t.product(i, j)
	if c := t.a.Softcap; c > 0 {
		s = c * math.Tanh(s/c)
	}
	if t.a.Bias != nil {
		s += *at(*t.a.Bias, t.h, t.bucket(i, j))
	}
	return s
}

// product is z[i][j] = Scale·q[i]·k[j].
func (t head) product(i, j int) float64 { return t.a.Scale * dot(t.q, i, t.k, j) }

// capSlope is the derivative of the capped score by z[i][j].
func (t head) capSlope(i, j int) float64 {
	c := t.a.Softcap
	if c <= 0 {
		return 1
	}
	y := math.Tanh(t.product(i, j) / c)
	return 1 - y*y
}

// bucket is the column of Bias for query row i and key row j.
func (t head) bucket(i, j int) int {
	return int(t.a.Bucket[int(t.a.KPos[j])-int(t.a.QPos[i])+t.a.BucketZero])
}

// kept is 1/(1−Dropout) if the weight of key row j for query row i is kept, else 0.
func (t head) kept(i, j int) float64 {
	if !backend.KeptAt(t.a.Key, i*t.a.Heads+t.h, j-t.k0, t.a.Dropout) {
		return 0
	}
	return 1 / (1 - t.a.Dropout)
}
