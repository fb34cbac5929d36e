package prefix

import (
	"cmp"
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// A Config is prefix tuning: V rows before the keys and values of every attention of the model, of the decoder's where there is an encoder too.
type Config struct {
	Tokens     int      // V, at least 1
	Projection bool     // in training, an MLP makes the rows: a table [V×d], a map to Hidden numbers, tanh, a map to all layers' keys and values
	Hidden     int      // of the MLP; 0: as wide as the keys
	Zero       bool     // rows that start at zero, rather than drawn from N(0, 1) or by the MLP
	Save       []string // modules trained whole, by the end of their name: a new head
	Head       bool     // train the model's head whole, whatever its name

	origin
}

// Attach puts the rows before keys and values, and lets the input's positions make room.
func (c Config) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	all, err := stacks(s)
	if err != nil {
		return nil, err
	}
	n := prefixSizes(all)
	if err := cmp.Or(within("Tokens", c.Tokens, 1, mostTokens), within("Hidden", c.Hidden, 0, mostHidden), n.check(c.said)); err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	rows := c.source(q, n, rng)
	top := all[len(all)-1]
	q.Prepend(top.input, taken(c.Tokens))
	for i, a := range top.self {
		if a.KVHeads*a.HeadSize != n.Dim {
			return nil, fmt.Errorf("prefix: %s has keys of %d numbers, other layers have %d", a.Name(), a.KVHeads*a.HeadSize, n.Dim)
		}
		q.Prepend(a, keysValues{source: rows, layer: n.slots(i), size: n.Dim, placed: true})
	}
	q.TrainModules(s.Modules(c.Save, c.Head))
	return q, nil
}

// slots is whose slots a layer has: its own, but Hugging Face PEFT, which fills twice as many for encoder and decoder, gives a decoder's layer those of layer 2i mod L.
func (n sizes) slots(layer int) int { return layer * n.Stacks % n.Layers }

// source makes the parameters.
func (c Config) source(q *peft.Patch, n sizes, rng peft.Rand) source {
	wide := 2 * n.Layers * n.Dim
	switch {
	case c.saved || c.Zero && !c.Projection:
		return newRows(q, "prefix", nil, c.Tokens, wide)
	case !c.Projection:
		return newRows(q, "prefix", peft.Normal(rng, c.Tokens*wide, 1), c.Tokens, wide)
	}
	made := c.network(q)
	made.addTable(rng, c.Tokens, n.Dim)
	if !c.Zero {
		made.addMaps(rng, n.Dim, c.hidden(n), wide)
		return made
	}
	made.addMaps(rng, n.Dim, c.hidden(n))
	made.addMap(2, nil, nil, c.hidden(n), wide)
	return made
}

func (c Config) hidden(n sizes) int {
	if c.Hidden == 0 {
		return n.Dim
	}
	return c.Hidden
}

func (c Config) network(q *peft.Patch) network {
	return network{q: q, kind: "prefix", table: "embedding.weight", maps: "transform", f: tensor.Tanh}
}

// Collapse puts the rows that the network makes in its place.
func (c Config) Collapse(p *peft.Pass, q *peft.Patch) (peft.Method, map[string]*tensor.Tensor) {
	if !c.Projection || c.saved {
		return nil, nil
	}
	c.saved = true
	return c, c.network(q).collapsed(p)
}
