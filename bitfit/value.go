package bitfit

import (
	"fmt"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// ValueBias adds a trained bias to the output of linear maps, of value projections where none are named: Hugging Face PEFT's BEFT (arXiv:2509.15974). A fresh patch changes nothing.
type ValueBias struct {
	peft.Targeted
	Random bool // the bias starts normal rather than at zero
}

const valueBias = "BEFT"

func init() {
	for _, name := range []string{valueBias, strings.ToLower(valueBias)} {
		peft.Register(name, decodeValueBias)
	}
}

// valueFields are the fields of a configuration beside the common ones.
type valueFields struct {
	Init bool `json:"init_weights"`
}

func decodeValueBias(config []byte) (peft.Method, error) {
	f := valueFields{Init: true}
	t, err := peft.DecodeTargeted(valueBias, config, &f)
	return ValueBias{t, !f.Init}, err
}

// Attach adds a bias to each chosen map.
func (c ValueBias) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	sites, err := c.chosen().Sites(valueBias, s)
	if err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, x := range sites {
		l, ok := x.(*peft.Linear)
		if !ok {
			return nil, fmt.Errorf("bitfit: %s: a bias is added to linear maps, not to a %T", x.Name(), x)
		}
		var start []float64
		if c.Random {
			start = peft.Normal(rng, l.Out, 1)
		}
		q.Add(l, peft.Out, added{q.NewParam(l.Name()+"/beft_bias", start, 1, l.Out)})
	}
	c.Whole(q)
	return q, c.chosen().KeepTables(valueBias, q, sites)
}

func (c ValueBias) chosen() peft.Targeted {
	if c.On == nil {
		c.On = peft.WithRole(peft.Value)
	}
	return c.Targeted
}

// Config is the configuration that Hugging Face PEFT reads.
func (c ValueBias) Config(s *peft.Sites) (map[string]any, error) {
	return c.chosen().Fields(valueBias, s, valueFields{!c.Random})
}

// added is Δ(x) = b, whatever x.
type added struct{ b *peft.Param }

// RowWise is true.
func (added) RowWise() bool { return true }

// Forward is the bias, for every row.
func (d added) Forward(p *peft.Pass, _ peft.Tap) *tensor.Tensor { return d.b.In(p) }

// Fold makes b' = b + what is added.
func (d added) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	sum := tensor.Reshape(d.b.In(p), d.b.Len())
	if b != nil {
		sum = tensor.Add(sum, tensor.Reshape(b, b.Len()))
	}
	return w, sum
}
