package lora

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// RandLoRA updates a linear map by as many products of random factors as make full rank, weighted by learned numbers (Albert et al. 2025, arXiv:2502.00987):
//
//	ΔW = s·Σⱼ Bⱼ·diag(λⱼ)·A·diag(γⱼ),  s = α/r
//
// A [r×small] is the same for all products; small is the smaller and large the larger side of the map, and the update is transposed where the input is the larger one. All maps take their
// parts of one A and one set of B. λ starts at zero.
type RandLoRA struct {
	Common     `json:"-"`
	Rank       int     `json:"r"`                // r, at least 1
	Alpha      float64 `json:"randlora_alpha"`   // α; 0 means Rank
	Dropout    float64 `json:"randlora_dropout"` // on the branch's input, in training
	Sparse     bool    `json:"sparse"`           // a sixth of the random numbers are 1 before they are scaled, a sixth −1, the others 0
	VerySparse bool    `json:"very_sparse"`      // the same with 1/(2·√small) in place of a sixth
	Init       Init    `json:"init_weights"`
}

var randlora = kind{name: "RANDLORA", bias: true, layout: true}

func init() {
	register(randlora, demanding(decoder(randlora, RandLoRA{Rank: 32, Alpha: 640}), "save_projection"))
}

// Attach puts two matrices of weights at each chosen map.
func (c RandLoRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	linears, err := c.linears(randlora, s)
	if err := cmp.Or(err, c.check()); err != nil {
		return nil, err
	}
	var a, b *peft.Param
	return c.attach(randlora, s, func(q *peft.Patch, l *peft.Linear) error {
		if a == nil {
			a, b = c.projections(q, linears, rng)
		}
		small, n := min(l.In, l.Out), c.products(min(l.In, l.Out))
		d := &randomSum{a: a, b: b, small: small, large: max(l.In, l.Out), n: n, flip: l.In > l.Out}
		d.lambda = q.NewParam(l.Name()+"/randlora_lambda", c.Init.last(func() []float64 { return peft.Normal(rng, c.Rank*n, 1) }), c.Rank, n)
		d.gamma = q.NewParam(l.Name()+"/randlora_gamma", slices.Repeat([]float64{1 / float64(max(n, small))}, n*small), n, small)
		q.Add(l, peft.Out, &factored{branchOf(l, c.Dropout), cmp.Or(c.Alpha, float64(c.Rank)) / float64(c.Rank), d.factors})
		return nil
	})
}

func (c RandLoRA) check() error {
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), probability("Dropout", c.Dropout), c.Common.check(randlora), c.Init.check())
}

// products is how many products of the rank make full rank.
func (c RandLoRA) products(small int) int { return (small + c.Rank - 1) / c.Rank }

// projections draws A [r×1×small] and B [large×n×r] for the largest sides of all maps.
func (c RandLoRA) projections(q *peft.Patch, linears []*peft.Linear, rng peft.Rand) (a, b *peft.Param) {
	in, out := 0, 0
	for _, l := range linears {
		in, out = max(in, l.In), max(out, l.Out)
	}
	small, large := min(in, out), max(in, out)
	n := c.products(small)
	a = q.NewBuffer("/randlora_A", c.draw(rng, c.Rank*small, small), c.Rank, 1, small)
	return a, q.NewBuffer("/randlora_B", c.draw(rng, large*n*c.Rank, small), large, n, c.Rank)
}

// draw is random numbers of variance one: uniform, or mostly zero.
func (c RandLoRA) draw(rng peft.Rand, n, small int) []float64 {
	v, rest := peft.Uniform(rng, n, 1), 1-1.0/3
	if c.VerySparse {
		rest = 1 - 1/math.Sqrt(float64(small))
	}
	sum, squares := 0.0, 0.0
	for i, x := range v {
		if c.Sparse || c.VerySparse {
			v[i] = math.Trunc(x / rest)
			v[i] = max(-1, min(1, v[i]))
		}
		sum, squares = sum+v[i], squares+v[i]*v[i]
	}
	deviation := math.Sqrt((squares - sum*sum/float64(n)) / float64(max(1, n-1)))
	for i := range v {
		v[i] /= cmp.Or(deviation, 1)
	}
	return v
}

// Config is the configuration that Hugging Face PEFT reads.
func (c RandLoRA) Config(s *peft.Sites) (map[string]any, error) {
	c.Alpha = cmp.Or(c.Alpha, float64(c.Rank))
	config, err := randlora.write(c.Common, s, c)
	if err == nil {
		config["save_projection"] = true
	}
	return config, err
}

// Aliases are the further keys of the shared factors: one for each map, as Hugging Face PEFT writes them.
func (c RandLoRA) Aliases(q *peft.Patch, x *peft.Param) (all []string) {
	field, shared := strings.CutPrefix(x.Name, "/")
	if !shared {
		return c.Common.Aliases(q, x)
	}
	for y := range q.Params() {
		if site, ok := strings.CutSuffix(y.Name, "/randlora_lambda"); ok {
			all = append(all, peft.Wrapper+site+"."+field)
		}
	}
	return all
}

// randomSum is the weighted products of one map.
type randomSum struct {
	a, b, lambda, gamma *peft.Param
	small, large, n     int
	flip                bool // the input is the larger side
}

// factors are all products as one, of rank r·n: rows (k, j) of diag(λ)·A·diag(γ) meet columns of B in the order (j, k), as in Hugging Face PEFT.
func (d *randomSum) factors(p *peft.Pass) (a, b *tensor.Tensor) {
	lambda, r := d.lambda.In(p), d.lambda.Tensor().Rows()
	var ofA, ofGamma []int32
	for k := range r {
		for j := range d.n {
			ofA, ofGamma = append(ofA, int32(k)), append(ofGamma, int32(j))
		}
	}
	shared := d.a.In(p)
	a = tensor.GatherRows(tensor.Columns(tensor.Reshape(shared, r, shared.Cols()), 0, d.small), ofA, nil)
	a = tensor.Mul(tensor.Mul(a, tensor.GatherRows(d.gamma.In(p), ofGamma, nil)), tensor.Reshape(lambda, r*d.n, 1))
	all := d.b.In(p)
	b = tensor.Columns(tensor.Reshape(all, all.Shape()[0], all.Len()/all.Shape()[0]), 0, d.n*r)
	b = tensor.Rows(b, 0, d.large)
	if d.flip {
		return tensor.Transpose(b), tensor.Transpose(a)
	}
	return a, b
}
