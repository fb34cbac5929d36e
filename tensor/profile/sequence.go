package profile

import "peft/tensor/internal/backend"

// Attention is q·kᵀ and p·v.
func (t *timed) Attention(out, lse, q, k, v backend.Mat, a *backend.Attention) {
	defer t.begin(key{name: "Attention"}, attention(a, q, v, 1, 1), read(out, lse, q, k, v)+optional(a.Bias)).end()
	t.inner.Attention(out, lse, q, k, v, a)
}

// AttentionGrad is q·kᵀ once more and dout·vᵀ, then ds·k where dq is wanted, dsᵀ·q and pᵀ·dout where dk and dv are.
func (t *timed) AttentionGrad(dq, dk, dv, dbias *backend.Mat, dout, q, k, v, out, lse backend.Mat, a *backend.Attention, beta [3]float64) {
	scores, values := 1, 1
	if dq != nil {
		scores++
	}
	if dk != nil {
		scores, values = scores+1, values+1
	}
	bytes := maybe(dq, beta[0]) + maybe(dk, beta[1]) + maybe(dv, beta[2]) + maybe(dbias, 1) + read(dout, q, k, v, out, lse) + optional(a.Bias)
	defer t.begin(key{name: "AttentionGrad"}, attention(a, q, v, scores, values), bytes).end()
	t.inner.AttentionGrad(dq, dk, dv, dbias, dout, q, k, v, out, lse, a, beta)
}

func (t *timed) Rotate(dst, x backend.Mat, r *backend.Rotary, inverse bool, beta float64) {
	defer t.begin(key{name: "Rotate"}, 0, read(x)+update(dst, beta)).end()
	t.inner.Rotate(dst, x, r, inverse, beta)
}

func (t *timed) GatherRows(dst, src backend.Mat, idx []int32, scale []float32, beta float64) {
	defer t.begin(key{name: "GatherRows"}, 0, read(dst)+update(dst, beta)).end()
	t.inner.GatherRows(dst, src, idx, scale, beta)
}

func (t *timed) ScatterRows(dst, src backend.Mat, idx []int32, scale []float32) {
	defer t.begin(key{name: "ScatterRows"}, 0, 3*read(src)).end()
	t.inner.ScatterRows(dst, src, idx, scale)
}

func (t *timed) SegmentSum(dst, x backend.Mat, start []int32, scale []float32, beta float64) {
	defer t.begin(key{name: "SegmentSum"}, 0, read(x)+update(dst, beta)).end()
	t.inner.SegmentSum(dst, x, start, scale, beta)
}
