package peft

import (
	"slices"

	"peft/tensor"
)

// A Looser is Rows at an [Attention] that may stand at no position: then every query sees them, wherever among others they are.
type Looser interface {
	Rows
	Loose() bool
}

// A filling is what fills up the shorter of rows that different sequences have, see [BatchSplit].
type filling struct {
	value float64 // of all numbers
	seen  bool    // with a score that counts one more
}

// filling is zeros that are seen, unless the model says otherwise by a method HubFilling() (value float64, seen bool).
func (s *Sites) filling() filling {
	if m, ok := s.model.(interface{ HubFilling() (float64, bool) }); ok {
		value, seen := m.HubFilling()
		return filling{value, seen}
	}
	return filling{0, true}
}

// dealtRows are the rows of the part that a sequence goes to.
type dealtRows struct {
	of []([]Rows)
	deal
	filling
	size int // of keys
}

// Loose is true.
func (dealtRows) Loose() bool { return true }

// Forward is the rows, with filling before those of parts that have fewer.
func (r dealtRows) Forward(p *Pass, t Tap) Prepended {
	l := t.X.Layout()
	all := Prepended{Each: make([][]int32, l.Sequences()), Fill: r.value, K: p.scope.Tensor(nil, 0, r.size), V: p.scope.Tensor(nil, 0, r.size)}
	most := 0
	for i, s := range r.shares(len(r.of))(p, l) {
		if len(s.rows) == 0 || len(r.of[i]) == 0 {
			continue
		}
		var own []Prepended
		for _, rows := range r.of[i] {
			own = append(own, rows.Forward(s.pass, Tap{Site: t.Site, X: s.of(t.X)}))
		}
		one := stacked(own, len(s.sequences))
		for j, each := range one.Each {
			all.Each[s.sequences[j]], most = moved(each, all.K.Rows()), max(most, len(each))
		}
		all.K, all.V = tensor.Stack(nil, all.K, one.K), tensor.Stack(nil, all.V, one.V)
	}
	for s, each := range all.Each {
		if r.seen {
			all.Each[s] = append(slices.Repeat([]int32{filler}, most-len(each)), each...)
		}
	}
	return all
}

// filler is the number of a row of filling.
const filler = -1

// moved are numbers of rows that stand below so many others.
func moved(rows []int32, below int) []int32 {
	out := slices.Clone(rows)
	for i, n := range out {
		if n != filler {
			out[i] = n + int32(below)
		}
	}
	return out
}

// stacked is several as one: the last come first.
func stacked(all []Prepended, sequences int) Prepended {
	one := Prepended{Each: make([][]int32, sequences)}
	var k, v []*tensor.Tensor
	below := 0
	for _, r := range all {
		for s, each := range r.each(sequences) {
			one.Each[s] = append(moved(each, below), one.Each[s]...)
		}
		k, v = append(k, flat(r.K)), append(v, flat(r.V))
		below = below + r.K.Rows()
		if r.Each != nil {
			one.Fill = r.Fill
		}
	}
	one.K, one.V = tensor.Stack(nil, k...), tensor.Stack(nil, v...)
	return one
}

// each are the rows of K and V that each sequence has.
func (r Prepended) each(sequences int) [][]int32 {
	if r.Each != nil {
		return r.Each
	}
	in, all := insertionOf(r.K), make([][]int32, sequences)
	for s := range all {
		for j := range in.n {
			all[s] = append(all[s], int32(in.row(s, j)))
		}
	}
	return all
}

// flat is x without an axis for the sequences.
func flat(x *tensor.Tensor) *tensor.Tensor { return tensor.Reshape(x, x.Rows(), x.Cols()) }

// dealRows lets the patch itself put the rows of its parts before the keys of an attention, if all stand nowhere and there is nothing else.
func (c *composer) dealRows(a *Attention, d deal) bool {
	r, some := dealtRows{deal: d, filling: c.sites.filling(), size: a.KVHeads * a.HeadSize}, false
	for _, q := range c.of {
		rows := q.rows[a.base()]
		for _, x := range rows {
			if l, ok := x.(Looser); !ok || !l.Loose() {
				return false
			}
			some = true
		}
		if len(q.deltas[a.base()]) > 0 || slices.ContainsFunc(q.parts, func(p part) bool { return p.touches(a) }) {
			return false
		}
		r.of = append(r.of, rows)
	}
	if some {
		c.Prepend(a, r)
	}
	return some
}
