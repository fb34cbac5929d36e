package peft

import "peft/tensor"

// A Place is where at a site a delta is added.
type Place uint8

// The places: a site's input, its output (a branch, attention's context), the stream after the residual sum.
const (
	In Place = iota
	Out
	After
)

// A Tap is what a place of a site shows to a delta. What a delta does not read is not computed or kept.
type Tap struct {
	Site   Site
	X, Y   *tensor.Tensor        // the site's input, and its output so far: deltas act in order
	Q      *tensor.Tensor        // Attention: its queries
	IDs    []int32               // Embedding: the rows looked up, in place of X
	Stream *tensor.Tensor        // Sublayer: the residual stream, before any norm
	Branch *tensor.Tensor        // Sublayer: the branch; at Out that is Y
	Sum    func() *tensor.Tensor // Sublayer: stream + branch, through the site's norm if there is one after the sum; at After that is Y
}

// A Delta is a small trainable function; a site adds its value.
type Delta interface {
	Forward(p *Pass, t Tap) *tensor.Tensor
}

// A LowRanker is a Delta at the output of a Linear whose value is a product of low rank, so that the site can compute it in one kernel with its own. A nil product means: not in this pass.
type LowRanker interface {
	Delta
	LowRank(p *Pass, t Tap) *tensor.LowRank
}

// A Folder is a Delta that can disappear into the parameters of its site: for all x, x·Wᵀ + b + Δ(x) = x·W'ᵀ + b'. b is nil where the site has no bias; a nil b' leaves it so.
type Folder interface {
	Delta
	Fold(p *Pass, w, b *tensor.Tensor) (w2, b2 *tensor.Tensor)
}

// Rows are trainable rows, put before the keys and values of an [Attention] or into the stream at a [Sequence] or [Hidden].
type Rows interface {
	Forward(p *Pass, t Tap) Prepended
}

// A Taker is Rows that take positions before the input: so many fewer tokens fit the model.
type Taker interface {
	Rows
	Taken() int
}

// Prepended is what Rows put into every sequence of a batch: n rows, the same for all, or with an axis for the sequences in front, to each its own.
//
// Rows that count as tokens stand at the first positions, and the others move on. Those of a Sequence do so by Shift. Those of an Attention are Placed, and leave the Shift to
// Rows at the Sequence of their stack, where the model learns of it before it looks positions up.
type Prepended struct {
	K, V   *tensor.Tensor // at an Attention: [n×heads·size] or [sequences×n×heads·size]
	Each   [][]int32      // at an Attention: which of these rows each sequence has, −1 for one full of Fill whose score counts one more, see [BatchSplit]; nil: all, or its own
	Fill   float64
	Placed bool           // at an Attention: the rows stand at positions 0 to n−1 and are masked like tokens there; otherwise they stand nowhere and every query sees them
	X      *tensor.Tensor // at a Sequence or Hidden: [n×d] or [sequences×n×d]; nil: no rows
	Shift  int            // at a Sequence: how much further the positions of its other rows count
	At     int            // there: how many rows of each sequence stand before the new ones
}

// Deltas are what a patch adds at a place of a site, in order.
func (q *Patch) Deltas(s Site, at Place) (all []Delta) {
	for _, d := range q.deltas[s.base()] {
		if d.at == at {
			all = append(all, d.Delta)
		}
	}
	return all
}
