package lora

import (
	"cmp"
	"fmt"
	"math"

	"peft/peft"
	"peft/tensor"
)

// DeLoRA is LoRA whose components have unit length, so that λ alone bounds the update (Bini et al. 2025, arXiv:2503.18225):
//
//	ΔW = λ/r·Σᵢ bᵢ·aᵢᵀ/(‖bᵢ‖·‖aᵢ‖)·diag(n),  n the lengths of the columns of W
//
// B starts at zero; lengths below 10⁻⁴ count as that.
type DeLoRA struct {
	Common        `json:"-"`
	Rank          int             `json:"r"`              // r, at least 1
	Lambda        float64         `json:"delora_lambda"`  // the first value of λ; 0 means 15
	Dropout       float64         `json:"module_dropout"` // on the branch's input, in training
	RankPattern   peft.PatternMap `json:"rank_pattern"`   // ranks of single sites, by name
	LambdaPattern peft.PatternMap `json:"lambda_pattern"` // λ of single sites, by name
	Init          Init            `json:"init_weights"`
}

var delora = kind{name: "DELORA", bias: true}

func init() { register(delora, decoder(delora, DeLoRA{Rank: 8, Lambda: 15})) }

// Attach puts an update at each chosen map.
func (c DeLoRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(delora, s, func(q *peft.Patch, l *peft.Linear) error {
		if l.W.Transposed {
			return fmt.Errorf("DeLoRA does not adapt a matrix that the checkpoint holds as [in out]")
		}
		r, lambda, err := ranks{c.Rank, cmp.Or(c.Lambda, 15), c.RankPattern, c.LambdaPattern}.of(l.Name())
		if err != nil {
			return err
		}
		d := &unitComponents{
			a:      q.NewParam(l.Name()+"/delora_A", kaiming(rng, r, l.In), r, l.In),
			b:      q.NewParam(l.Name()+"/delora_B", c.Init.last(func() []float64 { return kaiming(rng, l.Out, r) }), l.Out, r),
			lambda: q.NewParam(l.Name()+"/delora_lambda", []float64{lambda}, 1),
			n:      q.NewBuffer(l.Name()+"/delora_w_norm", columnLengths(l.W.Values(q.Sites().Device()), l.In), l.In),
		}
		q.Add(l, peft.Out, &factored{branchOf(l, c.Dropout), 1, d.factors})
		return nil
	})
}

func (c DeLoRA) check() error {
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), probability("Dropout", c.Dropout), c.Common.check(delora), c.Init.check())
}

// columnLengths are the lengths of the columns of a matrix; nil for none.
func columnLengths(w []float64, cols int) []float64 {
	if w == nil {
		return nil
	}
	n := make([]float64, cols)
	for i, v := range w {
		n[i%cols] += v * v
	}
	for i := range n {
		n[i] = math.Sqrt(n[i])
	}
	return n
}

// Config is the configuration that Hugging Face PEFT reads.
func (c DeLoRA) Config(s *peft.Sites) (map[string]any, error) {
	c.Lambda = cmp.Or(c.Lambda, 15)
	return delora.write(c.Common, s, c)
}

// unitComponents are the factors A·diag(n) and B·diag(λ/r/(‖a‖·‖b‖)) of one map.
type unitComponents struct{ a, b, lambda, n *peft.Param }

func (d *unitComponents) factors(p *peft.Pass) (a, b *tensor.Tensor) {
	a, b = d.a.In(p), d.b.In(p)
	lengths := tensor.Mul(bounded(tensor.Transpose(tensor.SumCols(tensor.Apply(tensor.Square, a)))), bounded(tensor.SumRows(tensor.Apply(tensor.Square, b))))
	share := tensor.Scale(tensor.Reshape(d.lambda.In(p), 1, 1), 1/float64(a.Rows()))
	return tensor.Mul(a, tensor.Reshape(d.n.In(p), 1, a.Cols())), tensor.Mul(b, tensor.Div(share, lengths))
}

// bounded is the roots of squared lengths, 10⁻⁴ at least: below that no gradient flows.
func bounded(squares *tensor.Tensor) *tensor.Tensor {
	const least = 1e-8
	return tensor.Apply(tensor.Sqrt, tensor.Shift(tensor.Apply(tensor.ReLU, tensor.Shift(squares, -least)), least))
}
