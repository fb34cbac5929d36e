package cpu

import "peft/tensor/internal/backend"

// stride is how many numbers of a row a sweep takes at a time: operands of a step stay in the first-level cache.
const stride = 2048

// A sweep makes each number of dst from the numbers of x and y at its place.
type sweep struct {
	dst, x, y view
	beta      float32
	f         sweepFunc
	k         *kernels
	unary     func(dst, x []float32)
	binary    func(dst, x, y []float32)
	a         float32
	adds      bool // f adds beta·dst itself where it is given dst
	key       uint64
	p         float64
	ordered   bool // f counts elements row after row, so views must not be exchanged for their transposes
	across    int  // steps in a row
	chunks    int  // chunks of the whole
}

// A sweepFunc makes dst from x and y, stretches of a row that begin at row i and column j. dst may be x or y.
type sweepFunc func(s *sweep, dst, x, y []float32, i, j int)

// sweep does s, whose shape is that of s.dst.
func (b *Backend) sweep(s sweep) {
	if s.dst.rows == 0 || s.dst.cols == 0 {
		return
	}
	s.k = b.kernels
	if s.dst.cols == 1 || s.dst.rs == 1 && s.dst.cs != 1 && !s.ordered {
		s.dst, s.x, s.y = s.dst.t(), s.x.t(), s.y.t()
	}
	if s.dst.flat() && s.x.flat() && s.y.flat() {
		s.dst, s.x, s.y = s.dst.flatten(), s.x.flatten(), s.y.flatten()
	}
	s.across = blocks(s.dst.cols, stride)
	const grain = 8 * stride
	s.chunks = min(s.dst.rows*s.across, blocks(s.dst.rows*s.dst.cols, grain))
	run(b, s.chunks, s)
}

// flat reports whether the view is one row as well: its rows follow one another, or it is one number everywhere.
func (v *view) flat() bool { return v.none() || v.packed() || v.rs == 0 && v.cs == 0 }

// flatten is the view as one row.
func (v view) flatten() view {
	v.cols *= v.rows
	v.rows = min(v.rows, 1)
	if v.cs != 0 || v.rs != 0 {
		v.rs, v.cs = v.cols, 1
	}
	return v
}

// chunk does one of s.chunks equal shares of the steps.
func (s *sweep) chunk(w *worker, c int) {
	steps := s.dst.rows * s.across
	tx, ty, out := w.floats(slotX, stride), w.floats(slotY, stride), w.floats(slotOut, stride)
	for t := steps * c / s.chunks; t < steps*(c+1)/s.chunks; t++ {
		i, j := t/s.across, t%s.across*stride
		s.step(i, j, min(j+stride, s.dst.cols), tx, ty, out)
	}
}

// step does row i from column j to end.
func (s *sweep) step(i, j, end int, tx, ty, out []float32) {
	var x, y []float32
	if !s.x.none() {
		x = s.x.row(i, j, end, tx)
	}
	if !s.y.none() {
		y = s.y.row(i, j, end, ty)
	}
	if s.dst.rowwise() && (s.beta == 0 || s.adds) {
		s.f(s, s.dst.row(i, j, end, nil), x, y, i, j)
		return
	}
	out = out[:end-j]
	s.f(s, out, x, y, i, j)
	s.k.store(s.dst, i, j, out, s.beta)
}

// store makes row i of dst from column j on = src + beta·itself.
func (k *kernels) store(dst view, i, j int, src []float32, beta float32) {
	switch {
	case beta == 0:
		dst.put(i, j, src)
	case dst.rowwise():
		k.axpby(dst.row(i, j, j+len(src), nil), src, 1, beta)
	default:
		at := i*dst.rs + j*dst.cs
		for _, v := range src {
			dst.data[at] = v + beta*dst.data[at]
			at += dst.cs
		}
	}
}

// Fill makes dst = v.
func (b *Backend) Fill(dst backend.Mat, v float64) {
	b.sweep(sweep{dst: see(dst), a: float32(v), f: func(s *sweep, dst, _, _ []float32, _, _ int) { fill(dst, s.a) }})
}

// Axpby makes dst = a·x + b·dst.
func (b *Backend) Axpby(dst backend.Mat, a float64, x backend.Mat, beta float64) {
	b.sweep(sweep{dst: see(dst), x: see(x), beta: float32(beta), a: float32(a), adds: true, f: axpby})
}

// axpby is Axpby for a stretch of a row.
func axpby(s *sweep, dst, x, _ []float32, _, _ int) {
	beta := s.beta
	if !s.dst.rowwise() {
		beta = 0
	}
	s.k.axpby(dst, x, s.a, beta)
}

// Binary makes dst = op(x, y) + beta·dst.
func (b *Backend) Binary(op backend.Binary, dst, x, y backend.Mat, beta float64) {
	b.sweep(sweep{dst: see(dst), x: see(x), y: see(y), beta: float32(beta), binary: b.kernels.binary[op],
		f: func(s *sweep, dst, x, y []float32, _, _ int) { s.binary(dst, x, y) }})
}

// Unary makes dst = f(x).
func (b *Backend) Unary(f backend.Unary, dst, x backend.Mat) {
	b.sweep(sweep{dst: see(dst), x: see(x), unary: b.kernels.unary[f],
		f: func(s *sweep, dst, x, _ []float32, _, _ int) { s.unary(dst, x) }})
}

// UnaryGrad makes dx = dy∘f'(x) + beta·dx, with f' computed from y = f(x) where f.FromOutput().
func (b *Backend) UnaryGrad(f backend.Unary, dx, x, y, dy backend.Mat, beta float64) {
	if f.FromOutput() {
		x = y
	}
	b.sweep(sweep{dst: see(dx), x: see(x), y: see(dy), beta: float32(beta), binary: b.kernels.slope[f],
		f: func(s *sweep, dst, x, dy []float32, _, _ int) { s.binary(dst, x, dy) }})
}

// Dropout makes dst = x∘kept/(1−p) + beta·dst.
func (b *Backend) Dropout(dst, x backend.Mat, p float64, key uint64, beta float64) {
	b.sweep(sweep{dst: see(dst), x: see(x), beta: float32(beta), key: key, p: p, a: float32(1 / (1 - p)), ordered: true, f: dropout})
}

// dropout is Dropout for a stretch of a row.
func dropout(s *sweep, dst, x, _ []float32, i, j int) {
	const width = 1 << 20 // columns of a row of the stream
	at := i*s.dst.cols + j
	for len(x) > 0 {
		row, col := at/width, at%width
		n := min(len(x), width-col)
		s.k.dropout(dst[:n], x[:n], backend.RowSeed(s.key, row), uint32(col), backend.Threshold(s.p), s.a)
		dst, x, at = dst[n:], x[n:], at+n
	}
}
