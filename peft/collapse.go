package peft

import (
	"fmt"

	"peft/tensor"
)

// A Collapser is a Method whose patches have a smaller final form that computes the same in evaluation: rows in place of the network that makes them, the mean in place of a pool.
// [Save] writes the final form.
type Collapser interface {
	Method
	// Collapse is the method of the final form, and those of its parameters that the patch has not, by name; a nil method where the patch has its final form already.
	Collapse(p *Pass, q *Patch) (Method, map[string]*tensor.Tensor)
}

// Collapse is a patch in its final form: itself, where its method knows no other. Parameters that both forms have keep their values.
func Collapse(q *Patch) (*Patch, error) {
	m, ok := q.method.(Collapser)
	if !ok {
		return q, nil
	}
	p := With(q.sites.dev, q).NoGrad()
	defer p.Close()
	final, values := m.Collapse(p, q)
	if final == nil {
		return q, nil
	}
	c, err := AttachTo(q.sites, final, 0)
	if err != nil {
		return nil, fmt.Errorf("peft: collapse: %w", err)
	}
	for x := range c.Params() {
		v := values[x.Name]
		if v == nil {
			v = q.byName[x.Name].Tensor()
		}
		x.Tensor().Assign(v.Float64s())
	}
	return Collapse(c)
}
