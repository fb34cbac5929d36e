package lora

import (
	"cmp"
	"math"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// VeRA scales random factors that all sites share by two learned vectors (Kopiczko et al. 2023, arXiv:2310.11454):
//
//	ΔW = diag(λ_b)·B·diag(λ_d)·A
//
// A and B are as large as the largest adapted map needs; others take their first columns and rows. λ_b starts at zero.
type VeRA struct {
	Common         `json:"-"`
	Rank           int     `json:"r"`                   // r, at least 1
	Dropout        float64 `json:"vera_dropout"`        // on the branch's input, in training
	Start          float64 `json:"d_initial"`           // the first value of λ_d; 0 means 0.1
	Seed           uint64  `json:"projection_prng_key"` // of A and B, which PyTorch's generator draws
	SaveProjection bool    `json:"save_projection"`     // keep A and B in the file rather than draw them again
	Init           Init    `json:"init_weights"`
}

var vera = kind{name: "VERA", bias: true, layout: true}

func init() { register(vera, decoder(vera, VeRA{Rank: 256, Start: 0.1, SaveProjection: true})) }

// Attach puts two vectors at each chosen map.
func (c VeRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	linears, err := c.linears(vera, s)
	if err := cmp.Or(err, c.check()); err != nil {
		return nil, err
	}
	var a, b *peft.Param
	return c.attach(vera, s, func(q *peft.Patch, l *peft.Linear) error {
		if a == nil {
			a, b = c.projections(q, linears)
		}
		d := &scaledProjections{a: a, b: b, in: l.In, out: l.Out}
		d.lambdaB = q.NewParam(l.Name()+"/vera_lambda_b", c.Init.last(func() []float64 { return slices.Repeat([]float64{1}, l.Out) }), l.Out)
		d.lambdaD = q.NewParam(l.Name()+"/vera_lambda_d", c.lambdaD(rng), c.Rank)
		q.Add(l, peft.Out, &factored{branchOf(l, c.Dropout), 1, d.factors})
		return nil
	})
}

func (c VeRA) check() error {
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), probability("Dropout", c.Dropout), c.Common.check(vera), c.Init.check())
}

// projections draws A and B, Kaiming uniform.
func (c VeRA) projections(q *peft.Patch, linears []*peft.Linear) (a, b *peft.Param) {
	in, out := 0, 0
	for _, l := range linears {
		in, out = max(in, l.In), max(out, l.Out)
	}
	make := q.NewBuffer
	if !c.SaveProjection {
		make = func(_ string, values []float64, shape ...int) *peft.Param {
			return &peft.Param{Pool: []*tensor.Tensor{q.Sites().Device().Constant(values, shape...)}, Fixed: true}
		}
	}
	g := newTorch(c.Seed)
	a = make("/vera_A", g.uniform(c.Rank*in, math.Sqrt(6/float64(in))), c.Rank, in)
	return a, make("/vera_B", g.uniform(out*c.Rank, math.Sqrt(6/float64(c.Rank))), out, c.Rank)
}

func (c VeRA) lambdaD(rng peft.Rand) []float64 {
	if c.Init == Random {
		return peft.Normal(rng, c.Rank, 1)
	}
	return slices.Repeat([]float64{cmp.Or(c.Start, 0.1)}, c.Rank)
}

// Config is the configuration that Hugging Face PEFT reads.
func (c VeRA) Config(s *peft.Sites) (map[string]any, error) {
	c.Start = cmp.Or(c.Start, 0.1)
	return vera.write(c.Common, s, c)
}

// scaledProjections are the factors diag(λ_d)·A and diag(λ_b)·B.
type scaledProjections struct {
	a, b, lambdaB, lambdaD *peft.Param
	in, out                int
}

func (d *scaledProjections) factors(p *peft.Pass) (a, b *tensor.Tensor) {
	column := func(x *peft.Param) *tensor.Tensor { return tensor.Reshape(x.In(p), x.Len(), 1) }
	a = tensor.Mul(tensor.Columns(d.a.In(p), 0, d.in), column(d.lambdaD))
	return a, tensor.Mul(tensor.Rows(d.b.In(p), 0, d.out), column(d.lambdaB))
}
