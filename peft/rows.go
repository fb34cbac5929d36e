package peft

import (
	"slices"

	"peft/tensor"
)

// before puts the new keys and values in front of each sequence's own.
func (r Prepended) before(k, v *tensor.Tensor, spec tensor.Attention) (*tensor.Tensor, *tensor.Tensor, tensor.Attention) {
	in := insertionOf(r.K)
	l, idx := in.layout(k.Layout())
	if !r.Placed {
		spec.Mask.Always += in.n
	}
	if r.Filled > 0 {
		spec = in.fill(l, r.Filled, k, spec)
	}
	return in.join(r.K, k, idx, l), in.join(r.V, v, idx, l), spec
}

// fill adds one to the scores of the first n new rows of each sequence, which stand further back than any other row so that they can be told apart.
func (in insertion) fill(l *tensor.Layout, n int, like *tensor.Tensor, spec tensor.Attention) tensor.Attention {
	if spec.Bias != nil {
		panic(&tensor.ShapeError{Op: "Attend", Got: "rows of filling, and a bias by position", Want: "one of them"})
	}
	far := slices.Max(l.Pos) + 1
	for s := range l.Sequences() {
		lo, _ := l.Bounds(s)
		for i := range n {
			l.Pos[lo+i] = -far
		}
	}
	bias := make([]float64, 2*spec.Heads)
	for h := range spec.Heads {
		bias[2*h+1] = 1
	}
	spec.Bias, spec.BucketZero = like.Device().Constant(bias, spec.Heads, 2), int(2*far)
	spec.Bucket = make([]int32, 3*far+1)
	for i := range far + 1 { // distances from −2·far to −far
		spec.Bucket[i] = 1
	}
	return spec
}

// into puts the new rows into each sequence of x, and moves the others.
func (r Prepended) into(x *tensor.Tensor, first int) *tensor.Tensor {
	in := insertion{}
	if r.X != nil {
		in = insertionOf(r.X)
	}
	in.at, in.first, in.shift = r.At, first, r.Shift
	l, idx := in.layout(x.Layout())
	if r.X == nil {
		return x.WithLayout(l)
	}
	return in.join(r.X, x, idx, l)
}

// An insertion puts n rows into every sequence after its first at rows: the same ones, or each its own.
type insertion struct {
	n, at        int
	first, shift int // the position of the first new row, and how much further old rows count
	added        int // rows in all, over which old ones are stacked
	each         bool
}

func insertionOf(x *tensor.Tensor) insertion {
	if s := x.Shape(); len(s) == 3 {
		return insertion{n: s[1], added: x.Rows(), each: true}
	}
	return insertion{n: x.Rows(), added: x.Rows()}
}

// layout is that of the longer sequences, with the row of the stack [new; old] that each row is.
func (in insertion) layout(l *tensor.Layout) (*tensor.Layout, []int32) {
	out, idx := &tensor.Layout{Start: []int32{0}}, []int32{}
	put := func(row, pos int, virtual bool) {
		idx = append(idx, int32(row))
		out.Pos = append(out.Pos, int32(pos))
		out.Virtual = append(out.Virtual, virtual)
	}
	for s := range l.Sequences() {
		lo, hi := l.Bounds(s)
		split := min(lo+in.at, hi)
		for i := lo; i < split; i++ {
			put(in.added+i, int(l.Pos[i]), l.IsVirtual(i))
		}
		for j := range in.n {
			put(in.row(s, j), in.first+in.at+j, true)
		}
		for i := split; i < hi; i++ {
			put(in.added+i, int(l.Pos[i])+in.shift, l.IsVirtual(i))
		}
		out.Start = append(out.Start, int32(len(idx)))
	}
	out.IDs = in.ids(l, idx)
	return out, idx
}

// ids are the tokens of the longer sequences.
func (in insertion) ids(l *tensor.Layout, idx []int32) []int32 {
	if l.IDs == nil {
		return nil
	}
	ids := make([]int32, len(idx))
	for i, row := range idx {
		ids[i] = -1
		if old := int(row) - in.added; old >= 0 {
			ids[i] = l.IDs[old]
		}
	}
	return ids
}

// row is the one that is put in as sequence s's new row j.
func (in insertion) row(s, j int) int {
	if in.each {
		return s*in.n + j
	}
	return j
}

// join stacks the new rows on the old ones and puts them in order.
func (in insertion) join(added, x *tensor.Tensor, idx []int32, l *tensor.Layout) *tensor.Tensor {
	flat := tensor.Reshape(added, added.Rows(), added.Cols())
	return tensor.GatherRows(tensor.Stack(nil, flat, x), idx, l)
}
