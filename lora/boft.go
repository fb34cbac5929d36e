package lora

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// BOFT turns the input of a linear map by orthogonal matrices in blocks, one after the other, and scales its output (Liu et al. 2023, arXiv:2311.06243):
//
//	y = s∘((x·Rₘ·…·R₁)·Wᵀ) + b,  Rₖ = Pₖ·diag(Rₖ₁, Rₖ₂, …)·Pₖᵀ,  Rₖᵢ = (I − Q)·(I + Q)⁻¹,  Q = (D − Dᵀ)/2 with D of its own
//
// Pₖ is a butterfly: it brings numbers together that stand 2ᵏ⁻² blocks apart, and for the first factor it is I. D starts at zero and s at one, so that a fresh patch changes nothing.
type BOFT struct {
	Common    `json:"-"`
	Blocks    int     `json:"boft_block_num"`          // how many blocks; 0: by BlockSize
	BlockSize int     `json:"boft_block_size"`         // the size of each, where Blocks is 0; 0 means 4
	Factors   int     `json:"boft_n_butterfly_factor"` // m; 0 means 1
	Dropout   float64 `json:"boft_dropout"`            // of blocks, which are I then, in training
	Init      Init    `json:"init_weights"`

	filed int // m of the file; 0: none. Hugging Face PEFT has but one factor on a processor, whatever the configuration says
}

var boft = kind{name: "BOFT", bias: true, layout: true}

func init() { register(boft, decoder(boft, BOFT{BlockSize: 4, Factors: 1})) }

// Attach puts a rotation before each chosen map, and a scale after it.
func (c BOFT) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(boft, s, func(q *peft.Patch, l *peft.Linear) error {
		blocks, size, m, err := c.sizes(l.In)
		if err != nil {
			return err
		}
		d := &butterfly{site: l, dropout: c.Dropout, factors: m, blocks: blocks, size: size}
		d.r = q.NewParam(l.Name()+"/boft_R", c.Init.last(func() []float64 { return peft.Normal(rng, m*l.In*size, 0.1) }), m, blocks, size, size)
		d.s = q.NewParam(l.Name()+"/boft_s", slices.Repeat([]float64{1}, l.Out), l.Out, 1)
		q.Add(l, peft.In, &before{d.turn})
		q.Add(l, peft.Out, d)
		return nil
	})
}

// sizes are how many blocks an input of n numbers has, how large they are, and how many factors there are.
func (c BOFT) sizes(n int) (blocks, size, m int, err error) {
	blocks, size, m = c.Blocks, c.BlockSize, cmp.Or(c.filed, c.Factors)
	if blocks == 0 {
		blocks = n / size
	} else {
		size = n / blocks
	}
	switch {
	case blocks*size != n:
		err = fmt.Errorf("%d blocks of %d do not make an input of %d", blocks, size, n)
	case m > 1 && (size%2 != 0 || blocks%(1<<(m-1)) != 0):
		err = fmt.Errorf("%d blocks of %d do not make butterflies of %d factors: there must be a multiple of %d of them, of an even size", blocks, size, m, 1<<(m-1))
	}
	return blocks, size, m, err
}

// Restore takes the number of factors from a file.
func (c BOFT) Restore(w *safetensors.File) (peft.Method, error) {
	for t := range w.All() {
		if strings.HasSuffix(t.Name, ".boft_R") && len(t.Shape) == 4 {
			c.filed = t.Shape[0]
		}
	}
	return c, within("boft_n_butterfly_factor", c.filed, 0, mostFactors)
}

// mostFactors is more than matrices of any size have.
const mostFactors = 30

func (c BOFT) withDefaults() BOFT {
	if c.Blocks == 0 && c.BlockSize == 0 {
		c.BlockSize = 4
	}
	c.Factors = max(1, c.Factors)
	return c
}

func (c BOFT) check() error {
	if c.Blocks < 0 || c.BlockSize < 0 || c.Blocks > 0 && c.BlockSize > 0 {
		return fmt.Errorf("lora: Blocks is %d and BlockSize %d, must be one of them above 0 and the other 0", c.Blocks, c.BlockSize)
	}
	return cmp.Or(probability("Dropout", c.Dropout), within("Factors", c.Factors, 0, mostFactors), c.Common.check(boft), c.Init.check())
}

// Config is the configuration that Hugging Face PEFT reads.
func (c BOFT) Config(s *peft.Sites) (map[string]any, error) {
	c = c.withDefaults()
	return boft.write(c.Common, s, c)
}

// butterfly is the rotations and the scale of one map.
type butterfly struct {
	site                  *peft.Linear
	dropout               float64
	r, s                  *peft.Param
	factors, blocks, size int
}

// RowWise is true.
func (*butterfly) RowWise() bool { return true }

// turn is x·(Rₘ·…·R₁ − I): the sum of what each factor changes of what those before have made.
func (d *butterfly) turn(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	all := p.Once(d, func() *tensor.Tensor {
		n := d.factors * d.blocks
		r := tensor.Reshape(d.r.In(p), n, d.size, d.size)
		mirror := tensor.Reshape(swap(r, n, d.size, d.size), n, d.size, d.size)
		change := blocksStay(p, cayley(p, tensor.Scale(tensor.Sub(r, mirror), 0.5)), n, d.dropout, d.r.Name)
		return tensor.Reshape(change, n*d.size, d.size)
	})
	var sum *tensor.Tensor
	for k := d.factors - 1; k >= 0; k-- {
		rows := d.blocks * d.size
		blocks := tensor.Reshape(tensor.Rows(all, k*rows, (k+1)*rows), d.blocks, d.size, d.size)
		there, back := d.permutation(k)
		change := d.permuted(tensor.BlockMatMul(d.permuted(x, there), blocks), back)
		if x = tensor.Add(x, change); sum == nil {
			sum = change
		} else {
			sum = tensor.Add(sum, change)
		}
	}
	return sum
}

// permutation is that of half blocks which the butterfly of factor k, counted from 0, makes, and its inverse: in each group of 2ᵏ blocks, the even ones of the halves come first. Both are nil
// for the first factor, which has none.
func (d *butterfly) permutation(k int) (there, back []int) {
	if k == 0 {
		return nil, nil
	}
	group := 2 << k // half blocks
	there, back = make([]int, 2*d.blocks), make([]int, 2*d.blocks)
	for i := range back {
		at := i % group
		if at < group/2 {
			back[i] = i - at + 2*at
		} else {
			back[i] = i - at + 2*(at-group/2) + 1
		}
		there[back[i]] = i
	}
	return there, back
}

// permuted exchanges half blocks of columns: that of number i comes from order[i].
func (d *butterfly) permuted(x *tensor.Tensor, order []int) *tensor.Tensor {
	if order == nil {
		return x
	}
	rows := make([]int32, 0, x.Rows()*len(order))
	for n := range x.Rows() {
		for _, i := range order {
			rows = append(rows, int32(n*len(order)+i))
		}
	}
	halves := tensor.GatherRows(tensor.Reshape(x, len(rows), d.size/2), rows, nil)
	return tensor.Reshape(halves, x.Rows(), x.Cols())
}

// Forward is (s − 1)∘y of the output y without its bias.
func (d *butterfly) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	y := t.Y
	if b := p.Vector(d.site.B); b != nil {
		y = tensor.Sub(y, tensor.Reshape(b, 1, b.Len()))
	}
	return tensor.Mul(y, tensor.Reshape(d.more(p), 1, d.s.Len()))
}

func (d *butterfly) more(p *peft.Pass) *tensor.Tensor { return tensor.Shift(d.s.In(p), -1) }

// Fold makes W' = s∘W, row by row.
func (d *butterfly) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	return tensor.Add(w, tensor.Mul(w, d.more(p))), b
}
