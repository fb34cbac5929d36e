package peft

import "peft/tensor"

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
	if p.route == nil {
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
		y := f(&sub, g.sequences)
		parts, layouts, order = append(parts, y), append(layouts, y.Layout()), append(order, g.sequences...)
	}
	joined := tensor.JoinLayouts(layouts...)
	out, idx := joined.Select(inverse(order))
	return tensor.GatherRows(tensor.Stack(joined, parts...), idx, out)
}

// touching are the numbers of the patches that do anything at a site.
func (p *Pass) touching(s Site) (numbers []int) {
	for i, q := range p.patches {
		if q.touches(s) {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// A group is the sequences that go through the same patches.
type group struct {
	patches   []*Patch
	sequences share
}

// groups are the sequences of each touching patch, and those of none, leaving out empty ones.
func (p *Pass) groups(n int, touching []int) (all []group) {
	of := map[int]int{}
	for _, i := range touching {
		of[i] = len(all)
		all = append(all, group{patches: p.patches[i : i+1]})
	}
	all = append(all, group{})
	for s := range n {
		g, ok := of[p.route[s]]
		if !ok {
			g = len(touching)
		}
		all[g].sequences = append(all[g].sequences, s)
	}
	kept := all[:0]
	for _, g := range all {
		if len(g.sequences) > 0 {
			kept = append(kept, g)
		}
	}
	return kept
}

// inverse is the permutation that undoes another one.
func inverse(order []int) []int {
	inv := make([]int, len(order))
	for i, s := range order {
		inv[s] = i
	}
	return inv
}
