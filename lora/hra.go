package lora

import (
	"cmp"

	"peft/peft"
	"peft/tensor"
)

// HRA turns the weights of a linear map by a chain of reflections (Yuan et al. 2024, arXiv:2405.17484):
//
//	W' = W·H₁·H₂⋯H_r,  Hᵢ = I − 2·uᵢ·uᵢᵀ,  ‖uᵢ‖ = 1
//
// Vectors start in equal pairs, whose reflections cancel out; so r should be even. Of several patches in a pass the first turns the input first. Hugging Face PEFT begins with the last of its active
// adapters.
type HRA struct {
	Common        `json:"-"`
	Rank          int  `json:"r"`        // r, at least 1
	Orthogonalise bool `json:"apply_GS"` // make the vectors orthogonal to each other, by Gram and Schmidt
	Init          Init `json:"init_weights"`
}

var hra = kind{name: "HRA", bias: true}

func init() { register(hra, decoder(hra, HRA{Rank: 8})) }

// Attach puts reflections before each chosen map.
func (c HRA) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.attach(hra, s, func(q *peft.Patch, l *peft.Linear) error {
		d := &reflections{q.NewParam(l.Name()+"/hra_u", c.start(rng, l.In), l.In, c.Rank)}
		if c.Orthogonalise {
			q.Add(l, peft.In, &before{d.together})
		} else {
			q.Add(l, peft.In, &before{d.chain})
		}
		return nil
	})
}

func (c HRA) check() error {
	return cmp.Or(within("Rank", c.Rank, 1, mostRank), c.Common.check(hra), c.Init.check())
}

// start draws the vectors [n×r], in pairs where they can be.
func (c HRA) start(rng peft.Rand, n int) []float64 {
	v := kaiming(rng, n, c.Rank)
	if c.Rank%2 == 0 && c.Init != Random {
		for i := 1; i < len(v); i += 2 {
			v[i] = v[i-1]
		}
	}
	return v
}

// Config is the configuration that Hugging Face PEFT reads.
func (c HRA) Config(s *peft.Sites) (map[string]any, error) { return hra.write(c.Common, s, c) }

// reflections is x·H_r⋯H₁ − x, with the vectors in the columns of u [in×r].
type reflections struct{ u *peft.Param }

func (d *reflections) chain(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return tensor.Sub(reflect(x, unit(tensor.Transpose(d.u.In(p)))), x)
}

// reflect is x·H_r⋯H₁, Hᵢ = I − 2·uᵢᵀ·uᵢ, for rows uᵢ of length one.
func reflect(x, u *tensor.Tensor) *tensor.Tensor {
	for i := u.Rows() - 1; i >= 0; i-- {
		along := tensor.Rows(u, i, i+1)
		x = tensor.Sub(x, tensor.Scale(tensor.MatMul(tensor.MatMulT(x, along), along), 2))
	}
	return x
}

// together is the same where the vectors are made orthogonal first: then the chain is one sum.
func (d *reflections) together(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	u := tensor.Transpose(d.u.In(p))
	var basis []*tensor.Tensor
	for i := range u.Rows() {
		v := tensor.Rows(u, i, i+1)
		for _, e := range basis {
			v = tensor.Sub(v, tensor.Mul(e, tensor.MatMulT(v, e)))
		}
		basis = append(basis, unit(v))
	}
	e := tensor.Stack(nil, basis...)
	return tensor.Scale(tensor.MatMul(tensor.MatMulT(x, e), e), -2)
}

// unit is rows of length one.
func unit(x *tensor.Tensor) *tensor.Tensor { return tensor.Div(x, norms(x)) }
