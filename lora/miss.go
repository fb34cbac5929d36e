package lora

import (
	"cmp"
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// MiSS adds to the output of a linear map a matrix times the sum of the parts of its input (Kang and Yin 2024, arXiv:2409.15371):
//
//	y = x·Wᵀ + b + (x₁ + x₂ + …)·D,  xᵢ [r],  D [r×out]
//
// D starts at zero. With Init [Bat] the update of each block of W is W·Dᵢ + Dᵢ, with a D [r×r] for each block row; with Init [Mini] the columns of D repeat.
type MiSS struct {
	Common  `json:"-"`
	Rank    int     `json:"r"`            // r, from 1 to the size of the input
	Dropout float64 `json:"miss_dropout"` // on the input, in training; not with Bat
	Columns int     `json:"mini_r"`       // with Mini: the number of D's columns, which divides the size of the output; 0 means 1
	Init    Init    `json:"init_weights"`
}

// The variants of [MiSS].
const (
	Bat  Init = "bat"
	Mini Init = "mini"
)

var miss = kind{name: "MISS", bias: true}

func init() { register(miss, decoder(miss, MiSS{Rank: 64, Columns: 1})) }

// Attach puts a matrix at each chosen map.
func (c MiSS) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	c.Columns = max(1, c.Columns)
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(miss, s, func(q *peft.Patch, l *peft.Linear) error {
		if err := c.fits(l); err != nil {
			return err
		}
		shape := []int{c.Rank, l.Out}
		switch c.Init {
		case Bat:
			shape = []int{l.Out / c.Rank, c.Rank, c.Rank}
		case Mini:
			shape[1] = c.Columns
		}
		first := c.Init.last(func() []float64 { return kaiming(rng, c.Rank, l.Out) })
		d := &shards{site: l, d: q.NewParam(l.Name()+"/miss_block", first, shape...), r: c.Rank, sums: q.Sites().Device().Constant(sums(c.Rank, l.In), c.Rank, l.In)}
		if c.Init == Bat {
			q.Substitute(q.Own(l), d)
		} else {
			q.Add(l, peft.Out, &factored{branchOf(l, c.Dropout), 1, d.factors})
		}
		return nil
	})
}

func (c MiSS) check() error {
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), probability("Dropout", c.Dropout), c.Common.check(miss), c.Init.check(Bat, Mini))
}

func (c MiSS) fits(l *peft.Linear) error {
	switch {
	case c.Rank > l.In:
		return fmt.Errorf("rank is %d, above the size of the input, %d", c.Rank, l.In)
	case c.Init == Bat && (l.In%c.Rank != 0 || l.Out%c.Rank != 0):
		return fmt.Errorf("rank is %d, which does not divide both sides of a matrix of %v", c.Rank, l.W.Shape)
	case c.Init == Mini && l.Out%c.Columns != 0:
		return fmt.Errorf("columns are %d, which does not divide the size of the output, %d", c.Columns, l.Out)
	}
	return nil
}

// sums is the matrix [r×in] that adds the parts of a row up: ones where the column's number is the row's, but for multiples of r.
func sums(r, in int) []float64 {
	v := make([]float64, r*in)
	for i := range in {
		v[i%r*in+i] = 1
	}
	return v
}

// Config is the configuration that Hugging Face PEFT reads.
func (c MiSS) Config(s *peft.Sites) (map[string]any, error) {
	c.Columns = max(1, c.Columns)
	return miss.write(c.Common, s, c)
}

// shards is the matrix D of one map, with what adds up the parts of its input.
type shards struct {
	site *peft.Linear
	d    *peft.Param
	r    int
	sums *tensor.Tensor
}

// factors make the update one of low rank. Columns of D that repeat are repeated.
func (s *shards) factors(p *peft.Pass) (a, b *tensor.Tensor) {
	b = tensor.Transpose(s.d.In(p))
	if b.Rows() < s.site.Out {
		rows := make([]int32, s.site.Out)
		for i := range rows {
			rows[i] = int32(i % b.Rows())
		}
		b = tensor.GatherRows(b, rows, nil)
	}
	return p.Scope().Use(s.sums), b
}

// Value is W + ΔW, which stands in for W, so that of two patches the second updates what the first has made of W.
func (s *shards) Value(p *peft.Pass, _ *peft.Frozen, base tensor.Map) tensor.Map {
	w := base.Dense(p.Scope())
	return tensor.Dense{W: tensor.Add(w, s.blocks(p, w))}
}

// blocks is ΔW = W·D + D, block by block [r×r], with one D for each row of blocks.
func (s *shards) blocks(p *peft.Pass, w *tensor.Tensor) *tensor.Tensor {
	d, in, out := s.d.In(p), s.site.In, s.site.Out
	groups, rest := out/s.r, in // a group of rows is [r × in/r × r]: rest rows of r numbers
	rows := tensor.Reshape(swap(w, 1, groups, rest), rest, out)
	turned := tensor.Reshape(swap(tensor.BlockMatMul(rows, d), 1, rest, groups), out, in)
	return tensor.Add(turned, tensor.MatMul(tensor.Reshape(d, out, s.r), p.Scope().Use(s.sums)))
}
