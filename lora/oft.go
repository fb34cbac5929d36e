package lora

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
)

// OFT turns the input of a linear map by an orthogonal matrix in blocks (Qiu et al. 2023, arXiv:2306.07280; Qiu et al. 2025, arXiv:2506.19847):
//
//	y = (x·R)·Wᵀ + b,  R = diag(R₁, R₂, …),  Rᵢ = (I − Qᵢ)·(I + Qᵢ)⁻¹,  Qᵢ = −Qᵢᵀ
//
// The numbers above the diagonals of the Q start at zero, so that a fresh patch changes nothing.
type OFT struct {
	Common      `json:"-"`
	Blocks      int     `json:"r"`                        // how many blocks; 0: by BlockSize
	BlockSize   int     `json:"oft_block_size"`           // the size of each, where Blocks is 0; 0 means 32. Either becomes what divides the map's input and is nearest
	Shared      bool    `json:"block_share"`              // all blocks are one
	Constrained bool    `json:"coft"`                     // ‖Q‖ of a block is at most Eps/√Blocks
	Eps         float64 `json:"eps"`                      // 0 means 6·10⁻⁵
	Neumann     bool    `json:"use_cayley_neumann"`       // the inverse is a sum of powers of Q: faster for large blocks, and orthogonal only nearly
	Terms       int     `json:"num_cayley_neumann_terms"` // of that sum; 0 means 5
	Dropout     float64 `json:"module_dropout"`           // of blocks, which are I then, in training
	Init        Init    `json:"init_weights"`
}

var oft = kind{name: "OFT", bias: true, layout: true}

func init() {
	register(oft, decoder(oft, OFT{BlockSize: 32, Eps: 6e-5, Neumann: true, Terms: 5}))
}

// Attach puts a rotation before each chosen map, or after each chosen embedding.
func (c OFT) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attachBoth(oft, s, func(q *peft.Patch, l *peft.Linear) error {
		q.Add(l, peft.In, &before{c.rotation(q, l.Name()+"/oft_R.weight", l.In, rng).change})
		return nil
	}, func(q *peft.Patch, e *peft.Embedding) error {
		q.Add(e, peft.Out, &turned{after{c.rotation(q, e.Name()+"/oft_embedding_R.weight", e.Size, rng).change}})
		return nil
	})
}

// rotation makes the numbers of a rotation of rows of n.
func (c OFT) rotation(q *peft.Patch, name string, n int, rng peft.Rand) *rotation {
	blocks, size := c.blocks(n)
	own := blocks
	if c.Shared {
		own = 1
	}
	entries := size * (size - 1) / 2
	w := q.NewParam(name, c.Init.last(func() []float64 { return peft.Normal(rng, own*entries, 0.1) }), own, entries)
	d := &rotation{OFT: c, w: w, blocks: blocks, own: own, size: size}
	d.upper, d.lower = triangles(own, size)
	return d
}

// turned is a rotation of the rows of a table.
type turned struct{ after }

// Fold makes W' = W + f(W).
func (d turned) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	return tensor.Add(w, d.f(p, w)), b
}

func (c OFT) withDefaults() OFT {
	if c.Blocks == 0 {
		c.BlockSize = cmp.Or(c.BlockSize, 32)
	}
	c.Eps, c.Terms = cmp.Or(c.Eps, 6e-5), cmp.Or(c.Terms, 5)
	return c
}

func (c OFT) check() error {
	if c.Blocks < 0 || c.BlockSize < 0 || c.Blocks > 0 && c.BlockSize > 0 {
		return fmt.Errorf("lora: Blocks is %d and BlockSize %d, must be one of them above 0 and the other 0", c.Blocks, c.BlockSize)
	}
	return cmp.Or(c.Common.check(oft), probability("Dropout", c.Dropout), atLeast("Terms", c.Terms, 0), c.Init.check())
}

// blocks are how many blocks there are for an input of n numbers, and how large.
func (c OFT) blocks(n int) (blocks, size int) {
	if c.Blocks > 0 {
		blocks = nearestDivisor(n, c.Blocks)
		return blocks, n / blocks
	}
	size = nearestDivisor(n, c.BlockSize)
	return n / size, size
}

// nearestDivisor is the divisor of n that is nearest to want, the smaller one of two.
func nearestDivisor(n, want int) int {
	if want >= n {
		return n
	}
	lo, hi := want, want
	for n%lo != 0 {
		lo--
	}
	for n%hi != 0 {
		hi++
	}
	if want-lo <= hi-want {
		return lo
	}
	return hi
}

// Filed is the method as a file may have it, with a sum of no terms, which is I as one of one term is.
func (c OFT) Filed() peft.Method {
	c.Terms = max(1, c.Terms)
	return c
}

// Config is the configuration that Hugging Face PEFT reads.
func (c OFT) Config(s *peft.Sites) (map[string]any, error) {
	c = c.withDefaults()
	return oft.write(c.Common, s, c)
}

// Start moves a patch that is to be trained to where constrained rotations may be, and so does Stepped after each step.
func (c OFT) Start(q *peft.Patch) error {
	if !c.Constrained {
		return nil
	}
	for x := range q.Params() {
		if strings.HasSuffix(x.Name, "R.weight") {
			t := x.Tensor()
			t.Assign(tensor.Mul(t.Detach(), t.Device().Constant(c.withDefaults().shrink(t), t.Rows(), 1)).Float64s())
		}
	}
	return nil
}

// Stepped is called by the training loop after each step.
func (c OFT) Stepped(q *peft.Patch, _ tensor.Grads, _, _ int) error { return c.Start(q) }

// State is empty: the parameters are all that moves.
func (c OFT) State(*peft.Patch) []optim.Param { return nil }

// shrink is the factor on each block's numbers w that the constraint asks for; those of Q are twice as many.
func (c OFT) shrink(w *tensor.Tensor) []float64 {
	bound := c.Eps / math.Sqrt(float64(w.Rows()))
	factors := norms(w.Detach()).Float64s()
	for i, n := range factors {
		if n *= math.Sqrt2; n > bound {
			factors[i] = bound / n
		} else {
			factors[i] = 1
		}
	}
	return factors
}

// rotation is x·(R − I).
type rotation struct {
	OFT
	w                 *peft.Param
	blocks, own, size int
	upper, lower      []int32 // where the numbers of Q stand in w
}

func (d *rotation) change(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return tensor.BlockMatMul(x, p.Once(d, func() *tensor.Tensor { return d.turn(p) }))
}

// turn is R − I, block after block.
func (d *rotation) turn(p *peft.Pass) *tensor.Tensor {
	w := d.w.In(p)
	if d.Constrained { // the gradient is that by the shrunken numbers, as Hugging Face PEFT shrinks the parameter itself
		less := tensor.Shift(p.Scope().Tensor(d.shrink(w), d.own, 1), -1)
		w = tensor.Add(w, tensor.Mul(w.Detach(), less))
	}
	skew := tensor.Sub(pick(w, d.upper, d.own, d.size, d.size), pick(w, d.lower, d.own, d.size, d.size))
	turn := cayley(p, skew)
	if d.Neumann {
		turn = neumann(skew, d.Terms)
	}
	turn = blocksStay(p, turn, d.own, d.Dropout, d.w.Name)
	if d.own < d.blocks {
		n := d.size * d.size
		turn = tensor.Reshape(tensor.GatherRows(tensor.Reshape(turn, 1, n), make([]int32, d.blocks), nil), d.blocks, d.size, d.size)
	}
	return turn
}

// triangles are the places of the entries above the diagonals of square blocks among numbers that count them row after row, block after block; and those of their mirror images. −1 is none.
func triangles(blocks, size int) (upper, lower []int32) {
	upper, lower = make([]int32, blocks*size*size), make([]int32, blocks*size*size)
	n := int32(0)
	for at := 0; at < len(upper); at += size * size {
		for i := range size {
			upper[at+i*size+i], lower[at+i*size+i] = -1, -1
			for j := i + 1; j < size; j++ {
				upper[at+i*size+j], lower[at+j*size+i] = n, n
				upper[at+j*size+i], lower[at+i*size+j] = -1, -1
				n++
			}
		}
	}
	return upper, lower
}
