package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"peft/internal/golden"
	"peft/peft"
	"peft/tensor"
)

// A counter adds nothing, and counts the rows that it could add to.
type counter struct {
	rows  *int
	alone bool
}

func (c counter) Forward(_ *peft.Pass, t peft.Tap) *tensor.Tensor {
	*c.rows = t.X.Rows()
	return tensor.Scale(t.X, 0)
}

func (c counter) RowWise() bool { return c.alone }

// TestFirsts: an encoder's last block computes the first row of each sequence where a classifier reads no other, unless what is added may read them; the result is the same.
func TestFirsts(t *testing.T) {
	for _, c := range golden.Cases(t, "hf", "bert-cls.forward", "roberta-cls.forward", "distilbert-cls.forward") {
		m, in := openCase(t, c), readCase(t, c)
		b, err := in.Batch(m.Model, all(in)...)
		require.NoError(t, err)
		sites, err := peft.FindSites(tensor.Reference(), m.Model)
		require.NoError(t, err)
		var up *peft.Linear // of the last block
		for l := range sites.Linears() {
			if l.Role == peft.Up {
				up = l
			}
		}
		run := func(alone bool) (rows int, logits []float64) {
			q := peft.NewPatch(sites)
			q.Add(up, peft.In, counter{&rows, alone})
			p := peft.With(tensor.Reference(), q).NoGrad()
			defer p.Close()
			logits = m.Model.Forward(p, b).Float64s()
			return rows, logits
		}
		few, one := run(true)
		many, other := run(false)
		require.Equal(t, b.Layout.Sequences(), few, c.Name)
		require.Equal(t, len(b.IDs), many, c.Name)
		golden.Near(t, c.Name, other, one, 1e-13)
	}
}
