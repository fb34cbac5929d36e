package peft

import (
	"slices"

	"peft/tensor"
)

// before puts the new keys and values in front of each sequence's own.
func (r Prepended) before(k, v *tensor.Tensor, spec tensor.Attention) (*tensor.Tensor, *tensor.Tensor, tensor.Attention) {
	if r.Each != nil {
		return r.eachBefore(k, v, spec)
	}
	in := insertionOf(r.K)
	l, idx := in.layout(k.Layout())
	if !r.Placed {
		spec.Mask.Always += in.n
	}
	return in.join(r.K, k, idx, l), in.join(r.V, v, idx, l), spec
}

// eachBefore is before where each sequence has rows of its own. Only rows that fill others up may keep the sequences from having equally many, unless order does not matter.
func (r Prepended) eachBefore(k, v *tensor.Tensor, spec tensor.Attention) (*tensor.Tensor, *tensor.Tensor, tensor.Attention) {
	own, below := k.Layout(), int32(r.K.Rows()+1)
	l, idx, fillers := &tensor.Layout{Start: []int32{0}}, []int32{}, []int{}
	for s, each := range r.Each {
		for j, n := range each {
			if n == filler {
				n = below - 1
				fillers = append(fillers, len(idx))
			}
			idx, l.Pos, l.Virtual = append(idx, n), append(l.Pos, int32(j)), append(l.Virtual, true)
		}
		lo, hi := own.Bounds(s)
		for i := lo; i < hi; i++ {
			idx, l.Pos, l.Virtual = append(idx, below+int32(i)), append(l.Pos, own.Pos[i]), append(l.Virtual, own.IsVirtual(i))
		}
		l.Start = append(l.Start, int32(len(idx)))
		spec.Mask.Always = max(spec.Mask.Always, len(each))
	}
	if len(fillers) > 0 {
		spec = score(l, fillers, k, spec)
	}
	fill := k.Device().Constant(slices.Repeat([]float64{r.Fill}, k.Cols()), 1, k.Cols())
	return tensor.GatherRows(tensor.Stack(nil, r.K, fill, k), idx, l), tensor.GatherRows(tensor.Stack(nil, r.V, fill, v), idx, l), spec
}

// score adds one to the scores of some rows, which stand further back than any other so that they can be told apart.
func score(l *tensor.Layout, rows []int, like *tensor.Tensor, spec tensor.Attention) tensor.Attention {
	if spec.Bias != nil {
		panic(&tensor.ShapeError{Op: "Attend", Got: "rows of filling, and a bias by position", Want: "one of them"})
	}
	far := slices.Max(l.Pos) + 1
	for _, row := range rows {
		l.Pos[row] = -far
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
