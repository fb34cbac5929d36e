package lora

import (
	"cmp"

	"peft/peft"
	"peft/tensor"
)

// LoHa updates a linear map by the elementwise product of two products of low rank, which may have any rank up to r² (Hyeon-Woo et al. 2021, arXiv:2108.06098; Yeh et al. 2023,
// arXiv:2309.14859):
//
//	ΔW = s·(w1_a·w1_b) ∘ (w2_a·w2_b),  w1_a, w2_a [out×r],  w1_b, w2_b [r×in],  s = α/r
//
// w2_b starts at zero.
type LoHa struct {
	Common        `json:"-"`
	Rank          int             `json:"r"`              // r, at least 1
	Alpha         float64         `json:"alpha"`          // α; 0 means Rank
	RankPattern   peft.PatternMap `json:"rank_pattern"`   // ranks of single sites, by name
	AlphaPattern  peft.PatternMap `json:"alpha_pattern"`  // α of single sites, by name
	RankDropout   float64         `json:"rank_dropout"`   // on the rows of ΔW, in training
	ModuleDropout float64         `json:"module_dropout"` // on ΔW as a whole, in training
	Init          Init            `json:"init_weights"`
}

var loha = kind{name: "LOHA"}

func init() { register(loha, decoder(loha, LoHa{Rank: 8, Alpha: 8})) }

// Attach puts an update at each chosen map.
func (c LoHa) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(loha, s, func(q *peft.Patch, l *peft.Linear) error {
		r, alpha, err := c.ranks().of(l.Name())
		if err != nil {
			return err
		}
		param := func(name string, values []float64, rows, cols int) *peft.Param {
			return q.NewParam(l.Name()+"/hada_"+name, values, rows, cols)
		}
		d := &hadamard{scale: alpha / float64(r)}
		d.left[0], d.right[0] = param("w1_a", kaiming(rng, l.Out, r), l.Out, r), param("w1_b", kaiming(rng, r, l.In), r, l.In)
		d.left[1] = param("w2_a", kaiming(rng, l.Out, r), l.Out, r)
		d.right[1] = param("w2_b", c.Init.last(func() []float64 { return kaiming(rng, r, l.In) }), r, l.In)
		d.dropping = c.dropping(l.Name())
		q.Add(l, peft.Out, &product{update: d.update})
		return nil
	})
}

func (c LoHa) dropping(key string) dropping {
	return dropping{c.ModuleDropout, c.RankDropout, true, key}
}

func (c LoHa) check() error {
	return cmp.Or(c.dropping("").check(), within("Rank", c.Rank, 1, mostRank), c.Common.check(loha), c.Init.check())
}

func (c LoHa) ranks() ranks { return ranks{c.Rank, c.Alpha, c.RankPattern, c.AlphaPattern} }

// Config is the configuration that Hugging Face PEFT reads.
func (c LoHa) Config(s *peft.Sites) (map[string]any, error) {
	c.Alpha = c.ranks().alphaOr(c.Rank)
	return loha.write(c.Common, s, c)
}

// hadamard is s·(left₁·right₁) ∘ (left₂·right₂).
type hadamard struct {
	dropping
	left, right [2]*peft.Param
	scale       float64
}

func (d *hadamard) update(p *peft.Pass) *tensor.Tensor {
	both := func(i int) *tensor.Tensor { return tensor.MatMul(d.left[i].In(p), d.right[i].In(p)) }
	w := tensor.Scale(tensor.Mul(both(0), both(1)), d.scale)
	if rows := d.rows(p, w.Rows()); rows != nil {
		w = tensor.Mul(w, rows)
	}
	return w
}
