package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// Attention makes, for each sequence, query row i, and head h with its key and value head,
//
//	z[j]   = Scale·q[i]·k[j],  s[j] = Softcap·tanh(z[j]/Softcap) (or z[j]) + Bias[h][Bucket[KPos[j]−QPos[i]+BucketZero]]
//	lse[i] = log Σ_j exp(s[j]),  w[j] = exp(s[j]−lse[i]),  out[i] = Σ_j w[j]·kept[i][j]·v[j]
//
// over the keys j that i sees; kept is 1/(1−Dropout) if backend.KeptAt(Key, i·Heads+h, j−KStart, Dropout), else 0.
// Where a query sees no key, lse is −∞ and out is 0.
func (*Backend) Attention(out, lse, q, k, v backend.Mat, a *backend.Attention) {
	eachHead(q, k, v, a, func(t head) {
		for i := t.q0; i < t.q1; i++ {
			s := make([]float64, 0, t.k1-t.k0)
			t.eachKey(i, func(j int) { s = append(s, t.score(i, j)) })
			total := logSumExp(s)
			*at(lse, i, t.h) = total
			o := headOf(out, t.h, a.Heads)
			fill(o, i, 0)
			t.eachKey(i, func(j int) {
				addRow(o, i, math.Exp(t.score(i, j)-total)*t.kept(i, j), t.v, j)
			})
		}
	})
}

// AttentionGrad makes, with w, kept and z of Attention, e[i][j] = w[i][j]·(kept[i][j]·dout[i]·v[j] − dout[i]·out[i]) the gradient by s, and
// g[i][j] = e[i][j]·(1−tanh²(z[i][j]/Softcap)) (or e[i][j]) the gradient by z, each summed over all sequences and heads that read the row,
//
//	dq[i] = Σ_j Scale·g[i][j]·k[j] + beta[0]·dq[i]
//	dk[j] = Σ_i Scale·g[i][j]·q[i] + beta[1]·dk[j]
//	dv[j] = Σ_i w[i][j]·kept[i][j]·dout[i] + beta[2]·dv[j]
//	dbias[h][b] += Σ e[i][j] where the bucket of (i, j) is b
func (b *Backend) AttentionGrad(dq, dk, dv, dbias *backend.Mat, dout, q, k, v, out, lse backend.Mat, a *backend.Attention, beta [3]float64) {
	for n, d := range []*backend.Mat{dq, dk, dv} {
		b.start(d, beta[n])
	}
	eachHead(q, k, v, a, func(t head) {
		g := headGrad{head: t, dout: headOf(dout, t.h, a.Heads), out: headOf(out, t.h, a.Heads), lse: lse, dbias: dbias}
		g.dq, g.dk, g.dv = headOrNil(dq, t.h, a.Heads), headOrNil(dk, t.kvh, a.KVHeads), headOrNil(dv, t.kvh, a.KVHeads)
		for i := t.q0; i < t.q1; i++ {
			t.eachKey(i, func(j int) { g.add(i, j) })
		}
	})
}

// start makes d = beta·d, where d is not nil.
func (b *Backend) start(d *backend.Mat, beta float64) {
	switch {
	case d == nil:
	case beta == 0:
		b.Fill(*d, 0)
	default:
		b.Axpby(*d, beta, *d, 0)
	}
}

// A headGrad is where the gradients of one head of one sequence go.
type headGrad struct {
	head
	dout, out, lse    backend.Mat
	dq, dk, dv, dbias *backend.Mat
}

// add adds what query row i and key row j contribute to each gradient.
func (g headGrad) add(i, j int) {
	w, kept := math.Exp(g.score(i, j)-*at(g.lse, i, g.h)), g.kept(i, j)
	e := w * (kept*dot(g.dout, i, g.v, j) - dot(g.dout, i, g.out, i))
	z := g.a.Scale * e * g.capSlope(i, j)
	if g.dbias != nil {
		*at(*g.dbias, g.h, g.bucket(i, j)) += e
	}
	if g.dq != nil {
		addRow(*g.dq, i, z, g.k, j)
	}
	if g.dk != nil {
		addRow(*g.dk, j, z, g.q, i)
	}
	if g.dv != nil {
		addRow(*g.dv, j, w*kept, g.dout, i)
	}
}

// addRow makes row i of dst += a·row j of x.
func addRow(dst backend.Mat, i int, a float64, x backend.Mat, j int) {
	for c := range dst.Cols {
		*at(dst, i, c) += a * *at(x, j, c)
	}
}

// fill makes every number of row i of dst = v.
func fill(dst backend.Mat, i int, v float64) {
	for c := range dst.Cols {
		*at(dst, i, c) = v
	}
}
