package tensor

import "peft/tensor/internal/backend"

// A Map is a matrix W [out×in] used as a linear map or a table: a frozen [*Weight], a trained [*Dense], or what a method computes.
type Map interface {
	// Size is [out, in].
	Size() (out, in int)
	// Linear is f(x·Wᵀ + …), x [N×in], see [Affine].
	Linear(x *Tensor, a Affine) *Tensor
	// Gather is the rows with the given numbers.
	Gather(s *Scope, ids []int32) *Tensor
	// Dense is the whole matrix.
	Dense(s *Scope) *Tensor
}

// An Affine is what is added to a product x·Wᵀ, and the function applied to the sum, in one sweep over the result. Its zero value is nothing.
type Affine struct {
	Bias *Tensor  // [out]
	Low  *LowRank // a product of low rank
	Func Func     // applied last

	sparse *Sparse // entries that are added to the weight
}

// LowRank is Scale·(X·Aᵀ)·Bᵀ with X [N×in], A [r×in], B [out×r].
type LowRank struct {
	X, A, B *Tensor
	Scale   float64
}

// apply is one kernel for the product with a frozen weight and all that is added to it.
func (a Affine) apply(x *Tensor, w *Weight) *Tensor {
	rows, cols := w.Size()
	if x.Cols() != cols {
		panic(&ShapeError{Op: "Linear", Got: sprint(x.shape) + " for a weight of " + sprint([]int{rows, cols}), Want: sprint(cols) + " columns"})
	}
	shape := append(append([]int{}, x.shape[:len(x.shape)-1]...), rows)
	out := output(shape, x, a.Bias)
	e := backend.Epilogue{Bias: vector("Linear", a.Bias, rows), Func: a.Func}
	var u *Tensor
	if a.Low != nil {
		u = a.Low.inner(x.Rows(), rows)
		e.Low = &backend.LowRank{U: u.mat(), V: a.Low.B.mat()}
	}
	pre := a.preactivation(out, x)
	if pre != nil && pre != out {
		e.Pre = optional(pre)
	}
	out.Device().MulT(out.mat(), x.mat(), a.weight(out.Device(), w), e)
	inputs, keep := []*Tensor{x, a.Bias}, []*Tensor{pre}
	if l := a.Low; l != nil {
		inputs = append(inputs, l.X, l.A, l.B)
		keep = append(keep, u, l.A, l.B, l.X)
	}
	if a.sparse != nil {
		inputs = append(inputs, a.sparse.V)
		keep = append(keep, a.sparse.V, x)
	}
	if pre != nil {
		pre = pre.Detach()
	}
	record("Linear", out, inputs, keep, func(f *flow) { a.back(f, x, w, u, pre) })
	if pre == nil || a.Func.FromOutput() {
		return out
	}
	return out.again(func() { out.Device().Unary(a.Func, out.mat(), pre.mat()) }, pre)
}

// weight is the weight with what is added to its entries, as d wants it.
func (a Affine) weight(d *Device, w *Weight) backend.Weight {
	if a.sparse != nil {
		return a.sparse.on(d)
	}
	return w.on(d)
}

// preactivation is the tensor from which the derivative of Func is computed: none, the result, or the values before the function.
func (a Affine) preactivation(out, x *Tensor) *Tensor {
	wants := x.Wants() || a.Bias != nil && a.Bias.Wants() || a.Low != nil || a.sparse != nil
	switch {
	case a.Func == Identity || !wants || out.scope != nil && out.scope.noGrad:
		return nil
	case a.Func.FromOutput():
		return out
	}
	return output(out.shape, out)
}

// inner is Scale·X·Aᵀ [N×r], outside the history: the rule of the whole covers it.
func (l *LowRank) inner(n, out int) *Tensor {
	if l.X.Rows() != n || l.X.Cols() != l.A.Cols() || l.A.Rows() != l.B.Cols() || l.B.Rows() != out {
		misfit("LowRank", "X ["+sprint(n)+"×in], A [r×in], B ["+sprint(out)+"×r]", l.X, l.A, l.B)
	}
	u := output([]int{l.X.Rows(), l.A.Rows()}, l.X, l.A)
	u.Device().MatMul(u.mat(), l.X.mat(), l.A.mat().T(), l.Scale, 0)
	return u
}

func (a Affine) back(f *flow, x *Tensor, w *Weight, u, pre *Tensor) {
	if pre == nil {
		a.backLinear(f, f.dy.mat(), x, w, u)
		return
	}
	f.temp(f.dy.Rows(), f.dy.Cols(), func(dz backend.Mat) {
		f.dev().UnaryGrad(a.Func, dz, pre.mat(), pre.mat(), f.dy.mat(), 0)
		a.backLinear(f, dz, x, w, u)
	})
}

// backLinear lets dz, the gradient by the sum before the function, flow to all that was added up.
func (a Affine) backLinear(f *flow, dz backend.Mat, x *Tensor, w *Weight, u *Tensor) {
	if a.Bias != nil {
		f.to(a.Bias, func(dst backend.Mat, beta float64) { f.dev().Sum(row(dst), dz, beta) })
	}
	through := func(low *backend.LowRank) {
		f.to(x, func(dst backend.Mat, beta float64) { f.dev().Mul(dst, dz, a.weight(f.dev(), w), low, beta) })
	}
	if a.Low == nil {
		through(nil)
	} else {
		a.Low.back(f, dz, x, u, through)
	}
	if a.sparse != nil {
		a.sparse.back(f, dz, x)
	}
}

// back: with u = s·X·Aᵀ, dB = dzᵀ·u, du = s·dz·B, dA = duᵀ·X, dX = du·A; the last joins dz·W in one kernel where X is the layer's own input.
// through is what lets dz flow to the layer's input, with that product.
func (l *LowRank) back(f *flow, dz backend.Mat, x, u *Tensor, through func(*backend.LowRank)) {
	f.to(l.B, func(dst backend.Mat, beta float64) { f.dev().MatMul(dst, dz.T(), u.mat(), 1, beta) })
	f.temp(u.Rows(), u.Cols(), func(du backend.Mat) {
		f.dev().MatMul(du, dz, l.B.mat(), l.Scale, 0)
		f.to(l.A, func(dst backend.Mat, beta float64) { f.dev().MatMul(dst, du.T(), l.X.mat(), 1, beta) })
		low := &backend.LowRank{U: du, V: l.A.mat()}
		if l.X != x {
			low = nil
			f.to(l.X, func(dst backend.Mat, beta float64) { f.dev().MatMul(dst, du, l.A.mat(), 1, beta) })
		}
		through(low)
	})
}

// Value is Scale·(X·Aᵀ)·Bᵀ by itself.
func (l *LowRank) Value() *Tensor {
	return Scale(MatMulT(MatMulT(l.X, l.A), l.B), l.Scale)
}

// vector is a vector of n numbers, of whatever shape, as [1×n]; nil for nil. It may be a column of a larger tensor.
func vector(op string, t *Tensor, n int) *backend.Mat {
	if t == nil {
		return nil
	}
	m := t.mat()
	switch {
	case t.Len() != n || !t.dense() && m.Cols != 1:
		misfit(op, "a vector of "+sprint(n), t)
	case t.dense():
		m = backend.Dense(m.Buf, m.Off, 1, n)
	default:
		m = m.T()
	}
	return &m
}

// row is a gradient slot of a vector, whatever its shape, as [1×n].
func row(m backend.Mat) backend.Mat { return backend.Dense(m.Buf, m.Off, 1, m.Rows*m.Cols) }

// A Dense is a tensor used as a Map: a trained weight.
type Dense struct{ W *Tensor }

// Size is [out, in].
func (d Dense) Size() (out, in int) { return d.W.Rows(), d.W.Cols() }

// Linear is f(x·Wᵀ + u·vᵀ + bias).
func (d Dense) Linear(x *Tensor, a Affine) *Tensor {
	y := MatMulT(x, d.W)
	if a.Low != nil {
		y = Add(y, a.Low.Value())
	}
	if a.Bias != nil {
		y = Add(y, Reshape(a.Bias, 1, a.Bias.Len()))
	}
	return Apply(a.Func, y)
}

// Gather is the rows with the given numbers.
func (d Dense) Gather(s *Scope, ids []int32) *Tensor { return GatherRows(s.Use(d.W), ids, nil) }

// Dense is the tensor itself, inside the scope.
func (d Dense) Dense(s *Scope) *Tensor { return s.Use(d.W) }
