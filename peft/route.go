package peft

import (
	"slices"
	"strconv"

	"peft/tensor"
)

// A share is the sequences of a batch that one patch computes; nil is all of them.
type share []int

// rows is the share's part of x.
func (g share) rows(x *tensor.Tensor) *tensor.Tensor {
	if g == nil {
		return x
	}
	l, idx := x.Layout().Select(g)
	return tensor.GatherRows(x, idx, l)
}

// of is the share's part of what there is one of for each sequence; nil where there is none.
func (g share) of(each []int32) []int32 {
	if each == nil {
		return nil
	}
	out := make([]int32, len(g))
	for i, s := range g {
		out[i] = each[s]
	}
	return out
}

// ids is the share's part of the ids of rows laid out as l says.
func (g share) ids(ids []int32, l *tensor.Layout) ([]int32, *tensor.Layout) {
	if g == nil {
		return ids, l
	}
	part, idx := l.Select(g)
	out := make([]int32, len(idx))
	for i, j := range idx {
		out[i] = ids[j]
	}
	return out, part
}

// split computes a site. In a routed pass each patch that touches the site computes its own sequences alone, which are put back in order: so a row of a mixed batch is what it would be alone.
func (p *Pass) split(s Site, l *tensor.Layout, f func(*Pass, share) *tensor.Tensor) *tensor.Tensor {
	if !p.routed() {
		return f(p, nil)
	}
	touching := p.touching(s)
	if len(touching) == 0 {
		return f(p, nil)
	}
	var parts []*tensor.Tensor
	var layouts []*tensor.Layout
	var order []int
	for _, g := range p.groups(l.Sequences(), touching) {
		sub := *p
		sub.route, sub.patches, sub.Tasks = nil, g.patches, g.sequences.of(p.Tasks)
		sub.numbers, sub.of = g.sequences, l.Sequences()
		y := f(&sub, g.sequences)
		parts, layouts, order = append(parts, y), append(layouts, y.Layout()), append(order, g.sequences...)
	}
	joined := tensor.JoinLayouts(layouts...)
	out, idx := joined.Select(inverse(order))
	return tensor.GatherRows(tensor.Stack(joined, parts...), idx, out)
}

// An active patch is one of a pass, or a part of one.
type active struct {
	*Patch
	number int                         // of the patch in the pass
	on     func(sequence, of int) bool // whether it is on for a sequence of a batch of so many; nil: for all
}

// routed reports whether not all sequences of the pass go through the same patches.
func (p *Pass) routed() bool {
	return p.route != nil || slices.ContainsFunc(p.patches, func(q active) bool { return q.on != nil })
}

// number is the number of sequence s of those that the pass computes, in a batch of so many.
func (p *Pass) number(s int, l *tensor.Layout) (number, of int) {
	if p.numbers == nil {
		return s, l.Sequences()
	}
	return p.numbers[s], p.of
}

// touching are the patches that do anything at a site.
func (p *Pass) touching(s Site) (all []active) {
	for _, q := range p.patches {
		if q.touches(s) {
			all = append(all, q)
		}
	}
	return all
}

// on are those of the patches that a sequence of a batch goes through, and which ones they are.
func (p *Pass) on(sequence, of int, patches []active) (all []active, which string) {
	for i, q := range patches {
		if (p.route == nil || p.route[sequence] == q.number) && (q.on == nil || q.on(sequence, of)) {
			all = append(all, active{Patch: q.Patch, number: q.number})
			which += strconv.Itoa(i) + " "
		}
	}
	return all, which
}

// A group is the sequences that go through the same patches.
type group struct {
	patches   []active
	sequences share
}

// groups are the sequences that go through the same of the patches.
func (p *Pass) groups(n int, patches []active) (all []group) {
	at := map[string]int{}
	for s := range n {
		through, which := p.on(s, n, patches)
		g, ok := at[which]
		if !ok {
			g = len(all)
			at[which], all = g, append(all, group{patches: through})
		}
		all[g].sequences = append(all[g].sequences, s)
	}
	return all
}

// inverse is the permutation that undoes another one.
func inverse(order []int) []int {
	inv := make([]int, len(order))
	for i, s := range order {
		inv[s] = i
	}
	return inv
}
