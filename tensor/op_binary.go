package tensor

import "peft/tensor/internal/backend"

// Add is a + b. Where one has a single row or column, it is repeated.
func Add(a, b *Tensor) *Tensor {
	out := elementwise("Add", backend.Add, a, b)
	return record("Add", out, []*Tensor{a, b}, nil, func(f *flow) {
		f.sum(a)
		f.sum(b)
	})
}

// Sub is a − b. Where one has a single row or column, it is repeated.
func Sub(a, b *Tensor) *Tensor {
	joined("Sub", a, b)
	return Add(a, Scale(b, -1))
}

// Mul is a∘b, elementwise. Where one has a single row or column, it is repeated.
func Mul(a, b *Tensor) *Tensor {
	out := elementwise("Mul", backend.Mul, a, b)
	return record("Mul", out, []*Tensor{a, b}, crossKeep(a, b), func(f *flow) {
		f.times(a, b)
		f.times(b, a)
	})
}

// Div is a/b, elementwise. Where one has a single row or column, it is repeated.
func Div(a, b *Tensor) *Tensor {
	joined("Div", a, b)
	return Mul(a, Apply(Reciprocal, b))
}

// crossKeep lists what the product rule reads: each factor only if the other one wants a gradient.
func crossKeep(a, b *Tensor) (keep []*Tensor) {
	if a.Wants() {
		keep = append(keep, b)
	}
	if b.Wants() {
		keep = append(keep, a)
	}
	return keep
}

// times adds dy∘other to the gradient by x, summed over the axes along which x was repeated.
func (f *flow) times(x, other *Tensor) {
	rows, cols := f.dy.Rows(), f.dy.Cols()
	f.to(x, func(dst backend.Mat, beta float64) {
		if dst.Rows == rows && dst.Cols == cols {
			f.dev().Binary(backend.Mul, dst, f.dy.mat(), other.over(rows, cols), beta)
			return
		}
		f.temp(rows, cols, func(t backend.Mat) {
			f.dev().Binary(backend.Mul, t, f.dy.mat(), other.over(rows, cols), 0)
			f.dev().Sum(dst, t, beta)
		})
	})
}

func elementwise(op string, b backend.Binary, x, y *Tensor) *Tensor {
	shape := joined(op, x, y)
	out := output(shape, x, y)
	r, c := out.Rows(), out.Cols()
	out.Device().Binary(b, out.mat(), x.over(r, c), y.over(r, c), 0)
	return out
}

// joined is the shape of an elementwise result: that of the operand which is not repeated. It panics if the operands do not fit.
func joined(op string, x, y *Tensor) []int {
	if sameShape(x.shape, y.shape) {
		return x.shape
	}
	r, c := extent(x.Rows(), y.Rows()), extent(x.Cols(), y.Cols())
	fits := func(t *Tensor) bool { return (t.Rows() == r || t.Rows() == 1) && (t.Cols() == c || t.Cols() == 1) }
	if !fits(x) || !fits(y) {
		misfit(op, "equal shapes, or one row or column", x, y)
	}
	for _, t := range []*Tensor{x, y} {
		if t.Rows() == r && t.Cols() == c {
			return t.shape
		}
	}
	return []int{r, c}
}

// extent is the size of an axis along which an operand of size 1 is repeated, be it no times.
func extent(a, b int) int {
	if a == 1 {
		return b
	}
	return a
}
