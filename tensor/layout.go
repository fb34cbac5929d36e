package tensor

import "sort"

// A Layout says which rows of a packed batch belong to which sequence and at which position each row stands. It is not changed once made.
type Layout struct {
	Start   []int32 // sequence s is rows Start[s] to Start[s+1]
	Pos     []int32 // position of each row
	Virtual []bool  // rows that a method put in, not the input; nil: none
	IDs     []int32 // the token that each row stands for, −1 for a virtual one; nil: not known
}

// NewLayout is the layout of sequences of the given lengths, with positions from 0.
func NewLayout(lengths ...int) *Layout {
	l := &Layout{Start: make([]int32, 1, len(lengths)+1)}
	for _, n := range lengths {
		for i := range n {
			l.Pos = append(l.Pos, int32(i))
		}
		l.Start = append(l.Start, int32(len(l.Pos)))
	}
	return l
}

// Singles is the layout of n sequences of one row each, as pooling leaves them.
func Singles(n int) *Layout {
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = 1
	}
	return NewLayout(lengths...)
}

// Select is the layout of some of the sequences, in the order given, and the rows they are in l.
func (l *Layout) Select(sequences []int) (*Layout, []int32) {
	out, rows := &Layout{Start: make([]int32, 1, len(sequences)+1)}, []int32{}
	for _, s := range sequences {
		for i := l.Start[s]; i < l.Start[s+1]; i++ {
			rows = append(rows, i)
			out.Append(l, int(i))
		}
		out.Start = append(out.Start, int32(len(rows)))
	}
	return out, rows
}

// Append adds a row of another layout, with all that is known of it; the caller says by Start where sequences end.
func (l *Layout) Append(from *Layout, row int) {
	l.Pos = append(l.Pos, from.Pos[row])
	if from.Virtual != nil {
		l.Virtual = append(l.Virtual, from.Virtual[row])
	}
	if from.IDs != nil {
		l.IDs = append(l.IDs, from.IDs[row])
	}
}

// Sequences is the number of sequences.
func (l *Layout) Sequences() int { return len(l.Start) - 1 }

// Rows is the number of rows of all sequences.
func (l *Layout) Rows() int { return len(l.Pos) }

// Bounds are the first row of sequence s and the one after its last.
func (l *Layout) Bounds(s int) (lo, hi int) { return int(l.Start[s]), int(l.Start[s+1]) }

// Sequence is the sequence that a row belongs to.
func (l *Layout) Sequence(row int) int {
	return sort.Search(l.Sequences(), func(s int) bool { return int(l.Start[s+1]) > row })
}

// IsVirtual reports whether a row was put in by a method.
func (l *Layout) IsVirtual(row int) bool { return l.Virtual != nil && l.Virtual[row] }

// Real lists the rows that are not virtual.
func (l *Layout) Real() []int32 {
	rows := make([]int32, 0, l.Rows())
	for i := range l.Rows() {
		if !l.IsVirtual(i) {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// Repeat is the layout in which each row is n rows: its heads, for one.
func (l *Layout) Repeat(n int) *Layout {
	out := &Layout{Start: make([]int32, len(l.Start)), Pos: make([]int32, 0, n*len(l.Pos))}
	for i, at := range l.Start {
		out.Start[i] = at * int32(n)
	}
	for i := range l.Rows() {
		for range n {
			out.Append(l, i)
		}
	}
	return out
}

// Spread gives each row an entry: the real rows theirs, which real lists in order, and the virtual ones the same.
func (l *Layout) Spread(real []int32, virtual int32) []int32 {
	if l.Virtual == nil {
		return real
	}
	out, at := make([]int32, l.Rows()), 0
	for i := range out {
		out[i] = virtual
		if !l.Virtual[i] {
			out[i] = real[at]
			at++
		}
	}
	return out
}

// JoinLayouts is the layout of several batches below each other.
func JoinLayouts(all ...*Layout) *Layout {
	out := &Layout{Start: []int32{0}}
	for _, l := range all {
		out.Virtual = append(out.Virtual, make([]bool, l.Rows())...)
		copy(out.Virtual[len(out.Pos):], l.Virtual)
		for s := range l.Sequences() {
			out.Start = append(out.Start, int32(len(out.Pos))+l.Start[s+1])
		}
		out.Pos = append(out.Pos, l.Pos...)
		out.IDs = append(out.IDs, l.IDs...)
	}
	if len(out.IDs) < out.Rows() { // not known for all
		out.IDs = nil
	}
	return out
}
