package profile

import "peft/tensor/internal/backend"

func (t *timed) MatMul(dst, a, b backend.Mat, alpha, beta float64) {
	defer t.begin(sizes("MatMul", a.Rows, a.Cols, b.Cols), product(a.Rows, a.Cols, b.Cols), read(a, b)+update(dst, beta)).end()
	t.inner.MatMul(dst, a, b, alpha, beta)
}

func (t *timed) Prepare(s backend.Storage) backend.Weight {
	defer t.begin(key{name: "Prepare"}, 0, 0).end()
	return &weight{t.inner.Prepare(s), s.Type.Size()}
}

func (t *timed) MulT(dst, x backend.Mat, w backend.Weight, e backend.Epilogue) {
	own, n := w.(*weight), dst.Cols
	flops, bytes := lowRank(e.Low, n)
	flops, bytes = flops+product(x.Rows, x.Cols, n), bytes+own.whole()+read(x, dst)+optional(e.Bias, e.Pre)
	defer t.begin(sizes("MulT", x.Rows, x.Cols, n), flops, bytes).end()
	t.inner.MulT(dst, x, own.Weight, e)
}

func (t *timed) Mul(dst, dy backend.Mat, w backend.Weight, low *backend.LowRank, beta float64) {
	own, n := w.(*weight), dst.Cols
	flops, bytes := lowRank(low, n)
	flops, bytes = flops+product(dy.Rows, dy.Cols, n), bytes+own.whole()+read(dy)+update(dst, beta)
	defer t.begin(sizes("Mul", dy.Rows, dy.Cols, n), flops, bytes).end()
	t.inner.Mul(dst, dy, own.Weight, low, beta)
}

func (t *timed) Gather(dst backend.Mat, w backend.Weight, ids []int32) {
	own := w.(*weight)
	defer t.begin(key{name: "Gather"}, 0, read(dst)+own.bytes(dst.Rows*dst.Cols)).end()
	t.inner.Gather(dst, own.Weight, ids)
}

func (t *timed) Dequantize(dst backend.Mat, w backend.Weight) {
	own := w.(*weight)
	defer t.begin(key{name: "Dequantize"}, 0, read(dst)+own.whole()).end()
	t.inner.Dequantize(dst, own.Weight)
}

func (t *timed) Amend(w backend.Weight, s, u *backend.Entries, v backend.Mat) backend.Weight {
	own := w.(*weight)
	defer t.begin(key{name: "Amend"}, 0, 0).end()
	return &weight{t.inner.Amend(own.Weight, s, u, v), own.numberBytes}
}

func (t *timed) SparseDot(dv, dy, x backend.Mat, s *backend.Entries, beta float64) {
	defer t.begin(sizes("SparseDot", dy.Cols, dy.Rows, x.Cols), 2*x.Rows*len(s.Col), read(dy, x)+update(dv, beta)).end()
	t.inner.SparseDot(dv, dy, x, s, beta)
}
