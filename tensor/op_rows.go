package tensor

import (
	"slices"

	"peft/tensor/internal/backend"
)

// GatherRows makes row i of the result row idx[i] of x; a negative index gives a row of zeros. The result has layout l, which may be nil.
func GatherRows(x *Tensor, idx []int32, l *Layout) *Tensor {
	checkRows("GatherRows", x, idx)
	out := output([]int{len(idx), x.Cols()}, x)
	out.layout = l
	out.Device().GatherRows(out.mat(), x.mat(), idx, nil, 0)
	return record("GatherRows", out, []*Tensor{x}, nil, func(f *flow) {
		f.part(x, func(dst backend.Mat) { f.dev().ScatterRows(dst, f.dy.mat(), idx, nil) })
	})
}

// checkRows panics if an index is beyond the rows of x.
func checkRows(op string, x *Tensor, idx []int32) {
	for _, i := range idx {
		if int(i) >= x.Rows() {
			panic(&ShapeError{Op: op, Got: "row " + sprint(i), Want: "a row of " + sprint(x.shape)})
		}
	}
}

// AddRows is x with row i of y added to row idx[i]; where the index is negative, nowhere.
func AddRows(x, y *Tensor, idx []int32) *Tensor {
	if len(idx) != y.Rows() || x.Cols() != y.Cols() {
		misfit("AddRows", "as many rows as indices ("+sprint(len(idx))+") and equal columns", x, y)
	}
	checkRows("AddRows", x, idx)
	out := output(x.shape, x, y)
	out.layout = x.layout
	out.Device().Axpby(out.mat(), 1, x.mat(), 0)
	out.Device().ScatterRows(out.mat(), y.mat(), idx, nil)
	return record("AddRows", out, []*Tensor{x, y}, nil, func(f *flow) {
		f.sum(x)
		f.to(y, func(dst backend.Mat, beta float64) { f.dev().GatherRows(dst, f.dy.mat(), idx, nil, beta) })
	})
}

// Stack puts the rows of several tensors of equal columns below each other. The result has layout l, which may be nil.
func Stack(l *Layout, parts ...*Tensor) *Tensor {
	if len(parts) == 0 {
		panic(&ShapeError{Op: "Stack", Got: "nothing", Want: "one tensor at least"})
	}
	n := 0
	for _, x := range parts {
		if x.Cols() != parts[0].Cols() {
			misfit("Stack", "equal columns", parts...)
		}
		n += x.Rows()
	}
	out := output([]int{n, parts[0].Cols()}, parts...)
	out.layout = l
	at := 0
	for _, x := range parts {
		out.Device().Axpby(out.mat().Slice(at, at+x.Rows(), 0, out.Cols()), 1, x.mat(), 0)
		at += x.Rows()
	}
	return record("Stack", out, parts, nil, func(f *flow) {
		at := 0
		for _, x := range parts {
			piece := f.dy.mat().Slice(at, at+x.Rows(), 0, f.dy.Cols())
			f.to(x, func(dst backend.Mat, beta float64) { f.dev().Axpby(dst, 1, piece, beta) })
			at += x.Rows()
		}
	})
}

// Columns is columns lo to hi of x, without a copy.
func Columns(x *Tensor, lo, hi int) *Tensor {
	if lo < 0 || hi < lo || hi > x.Cols() {
		misfit("Columns", "columns "+sprint(lo)+" to "+sprint(hi), x)
	}
	out := *x
	out.shape = append(append([]int{}, x.shape[:len(x.shape)-1]...), hi-lo)
	out.off, out.node, out.param = x.off+lo, nil, nil
	return record("Columns", &out, []*Tensor{x}, nil, func(f *flow) {
		f.part(x, func(dst backend.Mat) { f.dev().Axpby(dst.Slice(0, dst.Rows, lo, hi), 1, f.dy.mat(), 1) })
	})
}

// Rows is rows lo to hi of x, without a copy.
func Rows(x *Tensor, lo, hi int) *Tensor {
	if lo < 0 || hi < lo || hi > x.Rows() {
		misfit("Rows", "rows "+sprint(lo)+" to "+sprint(hi), x)
	}
	out := *x
	out.shape = []int{hi - lo, x.Cols()}
	out.off, out.layout, out.node, out.param = x.off+lo*x.stride, nil, nil, nil
	return record("Rows", &out, []*Tensor{x}, nil, func(f *flow) {
		f.part(x, func(dst backend.Mat) { f.dev().Axpby(dst.Slice(lo, hi, 0, dst.Cols), 1, f.dy.mat(), 1) })
	})
}

// Reshape is the same numbers in another shape.
func Reshape(x *Tensor, shape ...int) *Tensor {
	if size(shape) != x.Len() || len(shape) > 0 && slices.Min(shape) < 0 {
		misfit("Reshape", "the numbers of "+sprint(shape), x)
	}
	if !x.dense() {
		x = Scale(x, 1)
	}
	out := *x
	out.shape, out.node, out.param = shape, nil, nil
	out.stride = out.Cols()
	if out.Rows() != x.Rows() {
		out.layout = nil
	}
	return record("Reshape", &out, []*Tensor{x}, nil, func(f *flow) {
		f.to(x, func(dst backend.Mat, beta float64) {
			same := backend.Dense(f.dy.data.buf, f.dy.off, dst.Rows, dst.Cols)
			f.dev().Axpby(dst, 1, same, beta)
		})
	})
}

// MeanRows is the mean over the rows of each sequence of x's layout, leaving virtual rows out: [rows×d] becomes [sequences×d], one row a sequence.
func MeanRows(x *Tensor) *Tensor {
	l := x.layout
	if l == nil {
		misfit("MeanRows", "a tensor with a layout", x)
	}
	if l.Virtual != nil {
		real := l.Real()
		x = GatherRows(x, real, l.realOnly(real))
		l = x.layout
	}
	share := make([]float64, l.Sequences())
	for s := range share {
		lo, hi := l.Bounds(s)
		share[s] = 1 / float64(max(1, hi-lo))
	}
	each := output([]int{len(share), 1}, x)
	each.Assign(share)
	return Mul(sumSequences(x, l), each)
}

// realOnly is the layout of the given rows alone, which must be ascending.
func (l *Layout) realOnly(rows []int32) *Layout {
	r := &Layout{Start: make([]int32, 1, len(l.Start))}
	at := 0
	for s := range l.Sequences() {
		for at < len(rows) && rows[at] < l.Start[s+1] {
			r.Pos = append(r.Pos, l.Pos[rows[at]])
			at++
		}
		r.Start = append(r.Start, int32(at))
	}
	return r
}

// sumSequences adds the rows of each sequence up.
func sumSequences(x *Tensor, l *Layout) *Tensor {
	out := output([]int{l.Sequences(), x.Cols()}, x)
	out.layout = Singles(l.Sequences())
	out.Device().SegmentSum(out.mat(), x.mat(), l.Start, nil, 0)
	return record("MeanRows", out, []*Tensor{x}, nil, func(f *flow) {
		idx := make([]int32, l.Rows())
		for s := range l.Sequences() {
			lo, hi := l.Bounds(s)
			for i := lo; i < hi; i++ {
				idx[i] = int32(s)
			}
		}
		f.to(x, func(dst backend.Mat, beta float64) { f.dev().GatherRows(dst, f.dy.mat(), idx, nil, beta) })
	})
}
