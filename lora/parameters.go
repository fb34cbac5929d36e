package lora

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// nowhere chooses no site.
type nowhere struct{}

func (nowhere) String() string { return "nowhere" }

// Select lists nothing.
func (nowhere) Select(*peft.Sites) ([]peft.Site, error) { return nil, nil }

// onlyParameters reports whether weights are named and no modules.
func (c Config) onlyParameters() bool {
	on, named := c.On.(peft.Targets)
	return len(c.Parameters) > 0 && (c.On == nil || named && on.Modules.Pattern == "" && len(on.Modules.List) == 0)
}

// checkParameters refuses what Hugging Face PEFT refuses of updates of parameters.
func (c Config) checkParameters() error {
	if len(c.Parameters) > 0 && (c.DoRA || c.OwnBias || c.Dropout != 0) {
		return errors.New("lora: updates of Parameters have no DoRA, no OwnBias and no Dropout")
	}
	return nil
}

// parameters puts an update at each weight of a linear map or embedding that is named, by the end of its name. Ranks and α by name are by that of the weight.
func (c Config) parameters(q *peft.Patch, taken []peft.Site, rng peft.Rand) (all []peft.Site, err error) {
	for x := range q.Sites().All() {
		if !c.names(x) {
			continue
		}
		if slices.Contains(taken, x) {
			return nil, fmt.Errorf("lora: %s is chosen both as a module and for its weight", x.Name())
		}
		if err := c.parameter(q, x, rng); err != nil {
			return nil, fmt.Errorf("lora: %s: %w", x.Name(), err)
		}
		all = append(all, x)
	}
	if all == nil && len(c.Parameters) > 0 {
		return nil, fmt.Errorf("lora: Parameters are %q, which names the weight of no linear map or embedding", c.Parameters)
	}
	return all, nil
}

// names reports whether the weight of a site is named.
func (c Config) names(x peft.Site) bool {
	return slices.ContainsFunc(c.Parameters, func(p string) bool {
		return strings.HasSuffix("."+x.Name()+".weight", "."+p)
	})
}

func (c Config) parameter(q *peft.Patch, x peft.Site, rng peft.Rand) error {
	r, scale, err := c.scale(x.Name() + ".weight")
	if err != nil {
		return err
	}
	switch x := x.(type) {
	case *peft.Linear:
		if !x.W.Transposed {
			d, _, err := c.linear(q, x, r, scale, rng)
			if err != nil {
				return err
			}
			q.Add(x, peft.Out, d)
			return nil
		}
		a, b := c.factors(q, x, r, x.In, x.Out, rng)
		q.Add(x, peft.Out, &factored{branchOf(x, 0), scale, func(p *peft.Pass) (*tensor.Tensor, *tensor.Tensor) {
			return tensor.Transpose(b.In(p)), tensor.Transpose(a.In(p))
		}})
	case *peft.Embedding:
		a, b := c.factors(q, x, r, x.Num, x.Size, rng)
		q.Add(x, peft.Out, &table{a, b, scale})
	default:
		return fmt.Errorf("updates of Parameters are of linear maps and embeddings, not of a %T", x)
	}
	return nil
}

// factors makes A [r×cols] and B [rows×r] for a weight that the checkpoint holds as [rows cols].
func (c Config) factors(q *peft.Patch, x peft.Site, r, rows, cols int, rng peft.Rand) (a, b *peft.Param) {
	a = q.NewParam(x.Name()+"/lora_A", kaiming(rng, r, cols), r, cols)
	return a, q.NewParam(x.Name()+"/lora_B", c.Init.last(func() []float64 { return kaiming(rng, rows, r) }), rows, r)
}

// table is the update s·B·A of a table.
type table struct {
	a, b  *peft.Param
	scale float64
}

// RowWise is true.
func (*table) RowWise() bool { return true }

// Forward is what is added to the rows looked up.
func (d *table) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	rows := tensor.GatherRows(d.b.In(p), t.IDs, t.Y.Layout())
	return tensor.Scale(tensor.MatMul(rows, d.a.In(p)), d.scale)
}

// Fold makes W' = W + s·B·A.
func (d *table) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	return tensor.Add(w, tensor.Scale(tensor.MatMul(d.b.In(p), d.a.In(p)), d.scale)), b
}
