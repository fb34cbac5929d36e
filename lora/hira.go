package lora

import (
	"cmp"

	"peft/peft"
	"peft/tensor"
)

// HiRA updates a linear map by itself times a product of low rank, entry by entry, which may have any rank (Huang et al. 2025, openreview.net/forum?id=TwJrTz9cRS):
//
//	ΔW = W ∘ (B·A),  A [r×in], B [out×r]
//
// B starts at zero.
type HiRA struct {
	Common      `json:"-"`
	Rank        int             `json:"r"`            // r, at least 1
	Dropout     float64         `json:"hira_dropout"` // on the branch's input, in training
	RankPattern peft.PatternMap `json:"rank_pattern"` // ranks of single sites, by name
	Init        Init            `json:"init_weights"`

	filed map[string]int // the ranks in a file, by site
}

var hira = kind{name: "HIRA", layout: true}

func init() { register(hira, decoder(hira, HiRA{Rank: 32})) }

// Attach puts an update at each chosen map, or embedding.
func (c HiRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attachBoth(hira, s, func(q *peft.Patch, l *peft.Linear) error {
		r, err := c.rank(l)
		if err != nil {
			return err
		}
		a := kaiming(rng, r, l.In)
		if c.Init == Gaussian {
			a = peft.Normal(rng, r*l.In, 1/float64(r))
		}
		left := q.NewParam(l.Name()+"/hira_A", a, r, l.In)
		right := q.NewParam(l.Name()+"/hira_B", c.Init.last(func() []float64 { return kaiming(rng, l.Out, r) }), l.Out, r)
		q.Add(l, peft.Out, &product{branchOf(l, c.Dropout), func(p *peft.Pass) *tensor.Tensor {
			return tensor.Mul(p.Matrix(l.W).Dense(p.Scope()), tensor.MatMul(right.In(p), left.In(p)))
		}})
		return nil
	}, func(q *peft.Patch, e *peft.Embedding) error { return c.embedding(q, e, rng) })
}

func (c HiRA) check() error {
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), probability("Dropout", c.Dropout), c.Common.check(hira), c.Init.check(Gaussian))
}

// Config is the configuration that Hugging Face PEFT reads.
func (c HiRA) Config(s *peft.Sites) (map[string]any, error) { return hira.write(c.Common, s, c) }
