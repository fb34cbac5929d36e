package lora

import (
	"cmp"
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// GraLoRA gives each of k×k blocks of a linear map its own update of low rank (Jung et al. 2025, arXiv:2505.20355): block column n has a factor A, whose r outputs are shared out among the
// block rows, and block row j a factor B, which takes what it got from all block columns.
//
//	s = α/(r + h)
//
// Factors B start at zero.
type GraLoRA struct {
	Common  `json:"-"`
	Rank    int     `json:"r"`               // r, a multiple of Blocks
	Alpha   float64 `json:"alpha"`           // α; 0 means the sum of the ranks
	Blocks  int     `json:"gralora_k"`       // k, which divides both sides of each map; 0 means 2
	Hybrid  int     `json:"hybrid_r"`        // h, the rank of an update of the whole map beside the blocks'; 0 is none
	Dropout float64 `json:"gralora_dropout"` // on the branch's input, in training
	Init    Init    `json:"init_weights"`
}

var gralora = kind{name: "GRALORA", bias: true, layout: true}

func init() { register(gralora, decoder(gralora, GraLoRA{Rank: 32, Alpha: 64, Blocks: 2})) }

// Attach puts an update at each chosen map.
func (c GraLoRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(gralora, s, func(q *peft.Patch, l *peft.Linear) error {
		k, r := c.Blocks, c.Rank
		if l.In%k != 0 || l.Out%k != 0 {
			return fmt.Errorf("%d×%d blocks do not make a matrix of %v", k, k, l.W.Shape)
		}
		param := func(name string, last bool, fan int, shape ...int) *peft.Param {
			draw := func() []float64 { return kaiming(rng, tensorLen(shape)/fan, fan) }
			if last {
				return q.NewParam(l.Name()+name, c.Init.last(draw), shape...)
			}
			return q.NewParam(l.Name()+name, draw(), shape...)
		}
		d := &blockwise{k: k, scale: c.Alpha / float64(r+c.Hybrid)}
		d.a, d.b = param("/gralora_A", false, l.In/k, k, l.In/k, r), param("/gralora_B", true, r, k, r, l.Out/k)
		if c.Hybrid > 0 {
			d.left, d.right = param("/gralora_A_general.weight", false, l.In, c.Hybrid, l.In), param("/gralora_B_general.weight", true, c.Hybrid, l.Out, c.Hybrid)
		}
		q.Add(l, peft.Out, &added{branchOf(l, c.Dropout), d.apply})
		return nil
	})
}

func tensorLen(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func (c GraLoRA) withDefaults() GraLoRA {
	c.Blocks = cmp.Or(c.Blocks, 2)
	c.Alpha = cmp.Or(c.Alpha, float64(c.Rank+c.Hybrid))
	return c
}

func (c GraLoRA) check() error {
	err := cmp.Or(within("Rank", c.Rank, 1, mostRank), atLeast("Blocks", c.Blocks, 0), atLeast("Hybrid", c.Hybrid, 0), probability("Dropout", c.Dropout), c.Common.check(gralora), c.Init.check())
	if err == nil && c.Blocks > 0 && c.Rank%c.Blocks != 0 {
		err = fmt.Errorf("lora: Rank is %d, must be a multiple of Blocks, %d", c.Rank, c.Blocks)
	}
	return err
}

// Config is the configuration that Hugging Face PEFT reads.
func (c GraLoRA) Config(s *peft.Sites) (map[string]any, error) {
	c = c.withDefaults()
	return gralora.write(c.Common, s, c)
}

// blockwise is the update of one map: a [k × in/k × r] and b [k × r × out/k]; left and right where the whole map has one too.
type blockwise struct {
	a, b, left, right *peft.Param
	k                 int
	scale             float64
}

func (d *blockwise) apply(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	n := x.Rows()
	h := tensor.BlockMatMul(x, d.a.In(p))                 // each block column's outputs: (n, block column, block row, r/k)
	h = tensor.Reshape(swap(h, n, d.k, d.k), n, h.Cols()) // (n, block row, block column, r/k)
	y := tensor.Scale(tensor.BlockMatMul(h, d.b.In(p)), d.scale)
	if d.left != nil {
		low := &tensor.LowRank{X: x, A: d.left.In(p), B: d.right.In(p), Scale: d.scale}
		y = tensor.Add(y, low.Value())
	}
	return y
}
