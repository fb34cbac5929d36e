package peft

import "peft/tensor"

// before puts the new keys and values in front of each sequence's own.
func (r Prepended) before(k, v *tensor.Tensor, spec tensor.Attention) (*tensor.Tensor, *tensor.Tensor, tensor.Attention) {
	in := insertion{n: r.perSequence(k.Layout(), r.K), at: 0, shift: r.Shift, shared: r.K.Rows() != r.perSequence(k.Layout(), r.K)*k.Layout().Sequences()}
	l, idx := in.layout(k.Layout(), r.K.Rows())
	spec.Mask.Always += in.n
	return in.join(r.K, k, idx, l), in.join(r.V, v, idx, l), spec
}

// into puts the new rows into each sequence of x.
func (r Prepended) into(x *tensor.Tensor) *tensor.Tensor {
	n := r.perSequence(x.Layout(), r.X)
	in := insertion{n: n, at: r.At, shift: r.Shift, shared: r.X.Rows() != n*x.Layout().Sequences()}
	l, idx := in.layout(x.Layout(), r.X.Rows())
	return in.join(r.X, x, idx, l)
}

// perSequence is how many rows each sequence gets.
func (r Prepended) perSequence(l *tensor.Layout, x *tensor.Tensor) int {
	if len(x.Shape()) == 3 {
		return x.Shape()[1]
	}
	return x.Rows()
}

// An insertion puts n rows into every sequence after its first at rows: the same ones, or each its own.
type insertion struct {
	n, at, shift int
	shared       bool
}

// layout is that of the longer sequences, with the row of the stack [new; old] that each row is. New rows stand at positions 0 to n−1.
func (in insertion) layout(l *tensor.Layout, added int) (*tensor.Layout, []int32) {
	out, idx := &tensor.Layout{Start: []int32{0}}, []int32{}
	put := func(row int, pos int32, virtual bool) {
		idx = append(idx, int32(row))
		out.Pos = append(out.Pos, pos)
		out.Virtual = append(out.Virtual, virtual)
	}
	for s := range l.Sequences() {
		lo, hi := l.Bounds(s)
		split := min(lo+in.at, hi)
		for i := lo; i < split; i++ {
			put(added+i, l.Pos[i], l.IsVirtual(i))
		}
		for j := range in.n {
			row := j
			if !in.shared {
				row += s * in.n
			}
			put(row, int32(j+in.at), true)
		}
		for i := split; i < hi; i++ {
			put(added+i, l.Pos[i]+int32(in.shift), l.IsVirtual(i))
		}
		out.Start = append(out.Start, int32(len(idx)))
	}
	return out, idx
}

// join stacks the new rows on the old ones and puts them in order.
func (in insertion) join(added, x *tensor.Tensor, idx []int32, l *tensor.Layout) *tensor.Tensor {
	flat := tensor.Reshape(added, added.Rows(), added.Cols())
	return tensor.GatherRows(tensor.Stack(nil, flat, x), idx, l)
}
