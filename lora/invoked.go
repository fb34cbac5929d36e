package lora

import (
	"slices"

	"peft/peft"
	"peft/tensor"
)

// invoked is an update of those rows of each sequence that stand from the last occurrence of some tokens on: activated LoRA (Greenewald et al. 2025, arXiv:2504.12397). What stands before is
// what the base makes of it, so that keys and values of a text can be those of the base for all adapters that are invoked after it. A sequence without the tokens is the base's altogether.
type invoked struct {
	update *linear
	tokens []int32
}

// Kind says why it has no Fold.
func (*invoked) Kind() string { return "aLoRA, which acts on some rows and not on others," }

// Forward is the update of the rows that are invoked, and zero for the others.
func (d *invoked) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	l := t.X.Layout()
	if l == nil || l.IDs == nil {
		panic(&tensor.ShapeError{Op: "aLoRA", Got: "rows of which nobody knows the tokens", Want: "rows of a layout that has their IDs"})
	}
	rows := d.rows(l)
	t.X = tensor.GatherRows(t.X, rows, nil)
	y := d.update.Forward(p, t)
	return tensor.AddRows(p.Scope().Tensor(nil, l.Rows(), y.Cols()).WithLayout(l), y, rows)
}

// rows are those that are invoked.
func (d *invoked) rows(l *tensor.Layout) (rows []int32) {
	for s := range l.Sequences() {
		lo, hi := l.Bounds(s)
		for i := lo + lastOf(d.tokens, l.IDs[lo:hi]); i < hi; i++ {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// lastOf is where tokens stand last among ids, or the number of ids where they do not.
func lastOf(tokens, ids []int32) int {
	for i := len(ids) - len(tokens); i >= 0; i-- {
		if slices.Equal(ids[i:i+len(tokens)], tokens) {
			return i
		}
	}
	return len(ids)
}
