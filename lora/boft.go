package lora

import (
	"fmt"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// BOFT turns the input of a linear map by an orthogonal matrix in blocks and scales its output (Liu et al. 2023, arXiv:2311.06243), here with one butterfly factor, which is all that Hugging
// Face PEFT has on a processor:
//
//	y = s∘((x·R)·Wᵀ) + b,  R = diag(R₁, R₂, …),  Rᵢ = (I − Qᵢ)·(I + Qᵢ)⁻¹,  Qᵢ = (Dᵢ − Dᵢᵀ)/2
//
// D starts at zero and s at one, so that a fresh patch changes nothing.
type BOFT struct {
	Common    `json:"-"`
	Blocks    int  `json:"boft_block_num"`  // how many blocks; 0: by BlockSize
	BlockSize int  `json:"boft_block_size"` // the size of each, where Blocks is 0; 0 means 4
	Factors   int  `json:"boft_n_butterfly_factor"`
	Init      Init `json:"init_weights"`
}

var boft = kind{name: "BOFT", bias: true, layout: true}

func init() { register(boft, decoder(boft, BOFT{BlockSize: 4, Factors: 1}, "boft_dropout")) }

// Attach puts a rotation before each chosen map, and a scale after it.
func (c BOFT) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(boft, s, func(q *peft.Patch, l *peft.Linear) error {
		blocks, size := c.Blocks, c.BlockSize
		if blocks == 0 {
			blocks = l.In / size
		} else {
			size = l.In / blocks
		}
		if blocks*size != l.In {
			return fmt.Errorf("%d blocks of %d do not make an input of %d", blocks, size, l.In)
		}
		d := &butterfly{site: l, blocks: blocks, size: size}
		d.r = q.NewParam(l.Name()+"/boft_R", c.Init.last(func() []float64 { return peft.Normal(rng, l.In*size, 0.1) }), 1, blocks, size, size)
		d.s = q.NewParam(l.Name()+"/boft_s", slices.Repeat([]float64{1}, l.Out), l.Out, 1)
		q.Add(l, peft.In, &before{d.turn})
		q.Add(l, peft.Out, d)
		return nil
	})
}

func (c BOFT) withDefaults() BOFT {
	if c.Blocks == 0 && c.BlockSize == 0 {
		c.BlockSize = 4
	}
	c.Factors = max(1, c.Factors)
	return c
}

func (c BOFT) check() error {
	switch {
	case c.Blocks < 0 || c.BlockSize < 0 || c.Blocks > 0 && c.BlockSize > 0:
		return fmt.Errorf("lora: Blocks is %d and BlockSize %d, must be one of them above 0 and the other 0", c.Blocks, c.BlockSize)
	case c.Factors > 1:
		return fmt.Errorf("lora: boft_n_butterfly_factor is %d, more than 1 is not supported", c.Factors)
	}
	return first(c.Common.check(boft), c.Init.check())
}

// Config is the configuration that Hugging Face PEFT reads.
func (c BOFT) Config(s *peft.Sites) (map[string]any, error) {
	c = c.withDefaults()
	return boft.write(c.Common, s, c)
}

// butterfly is the rotation and the scale of one map.
type butterfly struct {
	site         *peft.Linear
	r, s         *peft.Param
	blocks, size int
}

// RowWise is true.
func (*butterfly) RowWise() bool { return true }

// turn is x·(R − I).
func (d *butterfly) turn(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return tensor.BlockMatMul(x, p.Once(d, func() *tensor.Tensor {
		r := tensor.Reshape(d.r.In(p), d.blocks, d.size, d.size)
		mirror := tensor.Reshape(swap(r, d.blocks, d.size, d.size), d.blocks, d.size, d.size)
		return cayley(p, tensor.Scale(tensor.Sub(r, mirror), 0.5))
	}))
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
