package prefix

import (
	"peft/peft"
	"peft/tensor"
)

// A source is the trained rows [V×n] of a patch: parameters, or what a network makes of them.
type source interface {
	rows(p *peft.Pass) *tensor.Tensor
}

// flat is rows that are parameters themselves.
type flat struct{ *peft.Param }

func (f flat) rows(p *peft.Pass) *tensor.Tensor { return f.In(p) }

// embeddingsKey is the name of rows in the files of Hugging Face PEFT.
const embeddingsKey = "prompt_embeddings"

// newRows makes rows that are parameters; nil values are zeros.
func newRows(q *peft.Patch, kind string, values []float64, rows, cols int) flat {
	return flat{q.NewParam(kind+"/"+embeddingsKey, values, rows, cols)}
}

// keysValues are one layer's keys and values: two neighbours among the 2L slots of the rows, each of size numbers.
type keysValues struct {
	source
	layer, size int
	placed      bool
}

// Loose is whether the rows stand at no position.
func (r keysValues) Loose() bool { return !r.placed }

func (r keysValues) Forward(p *peft.Pass, _ peft.Tap) peft.Prepended {
	m, at := r.rows(p), 2*r.layer*r.size
	return peft.Prepended{K: tensor.Columns(m, at, at+r.size), V: tensor.Columns(m, at+r.size, at+2*r.size), Placed: r.placed}
}

// taken are positions that a prefix takes before the input.
type taken int

// Taken is their number.
func (n taken) Taken() int { return int(n) }

func (n taken) Forward(*peft.Pass, peft.Tap) peft.Prepended { return peft.Prepended{Shift: int(n)} }

// virtual are rows lo to hi as virtual tokens before the input.
type virtual struct {
	source
	lo, hi int
}

// Taken is how many rows there are.
func (r virtual) Taken() int { return r.hi - r.lo }

func (r virtual) Forward(p *peft.Pass, _ peft.Tap) peft.Prepended {
	return peft.Prepended{X: tensor.Rows(r.rows(p), r.lo, r.hi), Shift: r.hi - r.lo}
}
