package profile

import "peft/tensor/internal/backend"

func (t *timed) Fill(dst backend.Mat, v float64) {
	defer t.begin(key{name: "Fill"}, 0, read(dst)).end()
	t.inner.Fill(dst, v)
}

func (t *timed) Axpby(dst backend.Mat, a float64, x backend.Mat, b float64) {
	defer t.begin(key{name: "Axpby"}, 0, read(x)+update(dst, b)).end()
	t.inner.Axpby(dst, a, x, b)
}

func (t *timed) Binary(op backend.Binary, dst, x, y backend.Mat, beta float64) {
	defer t.begin(key{name: "Binary"}, 0, read(x, y)+update(dst, beta)).end()
	t.inner.Binary(op, dst, x, y, beta)
}

func (t *timed) Unary(f backend.Unary, dst, x backend.Mat) {
	defer t.begin(key{name: "Unary", of: f.String()}, 0, read(dst, x)).end()
	t.inner.Unary(f, dst, x)
}

func (t *timed) UnaryGrad(f backend.Unary, dx, x, y, dy backend.Mat, beta float64) {
	defer t.begin(key{name: "UnaryGrad", of: f.String()}, 0, read(x, dy)+update(dx, beta)).end()
	t.inner.UnaryGrad(f, dx, x, y, dy, beta)
}

func (t *timed) Sum(dst, x backend.Mat, beta float64) {
	defer t.begin(key{name: "Sum"}, 0, read(x)+update(dst, beta)).end()
	t.inner.Sum(dst, x, beta)
}

func (t *timed) Dropout(dst, x backend.Mat, p float64, seed uint64, beta float64) {
	defer t.begin(key{name: "Dropout"}, 0, read(x)+update(dst, beta)).end()
	t.inner.Dropout(dst, x, p, seed, beta)
}

func (t *timed) SumSquares(x backend.Mat) float64 {
	defer t.begin(key{name: "SumSquares"}, 0, read(x)).end()
	return t.inner.SumSquares(x)
}

func (t *timed) Finite(x backend.Mat) bool {
	defer t.begin(key{name: "Finite"}, 0, read(x)).end()
	return t.inner.Finite(x)
}

func (t *timed) AdamW(p, g, m, v backend.Mat, s backend.AdamW) {
	defer t.begin(key{name: "AdamW"}, 0, read(g)+2*read(p, m, v)).end()
	t.inner.AdamW(p, g, m, v, s)
}
