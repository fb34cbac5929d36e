package models

import (
	"fmt"

	"peft/tensor"
)

// A Batch is the input of a model: the tokens of several sequences, packed row after row. Padding is left out, wherever an attention mask has it; what remains keeps its position.
type Batch struct {
	IDs    []int32 // token of each row
	Types  []int32 // token type of each row; nil: all 0
	Layout *tensor.Layout
	Slot   []int32 // where each row stands in its padded sequence, for the return trip
	Width  int     // length of the padded sequences
	Tasks  []int32 // task of each sequence, for the pass; nil where there are none
	Labels []int32 // what the model's result is scored with: one a sequence, or one a row; nil where there are none
	Firsts []int32 // of a causal language model: the label of each sequence's first token, which a row that a method puts before it predicts; nil where there are none

	perToken bool // the model's result has a row for each of the batch's
}

// A Sequence is the tokens of one sequence. Types and Mask may be nil: type 0, nothing masked.
type Sequence struct {
	IDs, Types []int32
	Mask       []bool // true: a token; false: padding, or a hole
}

// Pack makes a batch of sequences for a model.
func Pack(m Model, sequences ...Sequence) (*Batch, error) {
	b := newBatch(m)
	for i, s := range sequences {
		if err := b.add(m, s); err != nil {
			return nil, fmt.Errorf("models: sequence %d: %w", i, err)
		}
	}
	return b, nil
}

func newBatch(m Model) *Batch {
	return &Batch{Layout: &tensor.Layout{Start: []int32{0}}, perToken: perToken(m)}
}

// perToken reports whether a model's result has a row for each token.
func perToken(m Model) bool { return m.Task() != SequenceClassification }

func (b *Batch) add(m Model, s Sequence) error {
	limits := m.Limits()
	b.Width = max(b.Width, len(s.IDs))
	pos := m.Positions(s)
	for t, id := range s.IDs {
		if s.Mask != nil && !s.Mask[t] {
			continue
		}
		kind := int32(0)
		if s.Types != nil {
			kind = s.Types[t]
		}
		switch {
		case id < 0 || int(id) >= limits.Vocabulary:
			return fmt.Errorf("token %d is %d, must be 0 to %d, the last of the vocabulary", t, id, limits.Vocabulary-1)
		case kind < 0 || int(kind) >= limits.Types:
			return fmt.Errorf("token type %d is %d, must be 0 to %d", t, kind, limits.Types-1)
		case int(pos[t]) >= limits.Positions:
			return fmt.Errorf("%d tokens, the model has %d positions", len(s.IDs), limits.Positions)
		}
		b.IDs, b.Types, b.Slot = append(b.IDs, id), append(b.Types, kind), append(b.Slot, int32(t))
		b.Layout.Pos = append(b.Layout.Pos, pos[t])
	}
	b.Layout.Start, b.Layout.IDs = append(b.Layout.Start, int32(len(b.IDs))), b.IDs
	if n := len(b.Layout.Start); b.Layout.Start[n-1] == b.Layout.Start[n-2] {
		return fmt.Errorf("it has no token that is not masked")
	}
	return nil
}

// Scored is the label of every row of the model's result x, or of its last hidden state: those too that a method put in, of which only one that stands before a sequence's first token may have one.
func (b *Batch) Scored(x *tensor.Tensor) []int32 {
	l := x.Layout()
	if l == nil || l.Virtual == nil || len(b.Labels) != len(l.Real()) {
		return b.Labels
	}
	labels := l.Spread(b.Labels, tensor.Ignore)
	for s, y := range b.Firsts {
		lo, hi := l.Bounds(s)
		for i := lo; i+1 < hi && l.IsVirtual(i); i++ {
			if !l.IsVirtual(i + 1) {
				labels[i] = y
			}
		}
	}
	return labels
}

// Pick is the entries of a padded table [sequences × Width], such as labels, that belong to the rows of the batch.
func (b *Batch) Pick(table [][]int32) []int32 {
	out := make([]int32, len(b.IDs))
	for s := range b.Layout.Sequences() {
		lo, hi := b.Layout.Bounds(s)
		for i := lo; i < hi; i++ {
			out[i] = table[s][b.Slot[i]]
		}
	}
	return out
}

// Unpack puts the rows of a result, such as logits, back where their tokens stood: [sequences × Width × columns], zeros elsewhere. Rows that a method put in stand where it put them, and
// the width grows by as many. What has one row a sequence stays as it is.
func (b *Batch) Unpack(t *tensor.Tensor) (shape []int, values []float64) {
	n, cols := b.Layout.Sequences(), t.Cols()
	packed := t.Float64s()
	if !b.perToken {
		return []int{n, cols}, packed
	}
	slot, width := b.slots(t.Layout())
	values = make([]float64, n*width*cols)
	for s := range n {
		lo, hi := t.Layout().Bounds(s)
		for i := lo; i < hi; i++ {
			copy(values[(s*width+slot[i])*cols:], packed[i*cols:(i+1)*cols])
		}
	}
	return []int{n, width, cols}, values
}

// slots is where each row of a result stands in its padded sequence, and the length of those.
func (b *Batch) slots(l *tensor.Layout) (slot []int, width int) {
	added, most := make([]int, l.Sequences()), 0 // rows that a method put into each sequence
	for i := range l.Rows() {
		if l.IsVirtual(i) {
			s := l.Sequence(i)
			added[s]++
			most = max(most, added[s])
		}
	}
	slot = make([]int, l.Rows())
	real := b.Slot
	for s := range added {
		ahead, next := most-added[s], 0 // rows that were put in so far; the slot after the last real row
		lo, hi := l.Bounds(s)
		for i := lo; i < hi; i++ {
			if l.IsVirtual(i) {
				slot[i] = ahead + next
				ahead++
				continue
			}
			slot[i], next, real = ahead+int(real[0]), int(real[0])+1, real[1:]
		}
	}
	return slot, b.Width + most
}
