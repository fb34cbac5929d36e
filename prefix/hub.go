package prefix

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"peft/peft"
	"peft/tensor"
)

// A Hub is prefix tuning as AdapterHub's library has it. Its rows take no positions: those of the input stay, and every query sees the rows, in a sliding window too. Encoder, decoder and the
// decoder's look at the encoder have rows of their own. The network that makes the rows is saved, not only what it makes.
type Hub struct {
	Name       string  // of the adapter, a part of its keys in files; empty means "prefix_tuning"
	Tokens     int     // rows, at least 1
	Flat       bool    // the rows are parameters; otherwise an MLP makes them
	Hidden     int     // of the MLP; 0 means 512
	Activation string  // of the MLP, as Hugging Face names it; empty means "tanh"
	Dropout    float64 // on the rows, in training
	Gate       bool    // a gate for each sequence and layer, which scales keys and values (UniPELT)
	KeyGate    bool    // with Gate: one gate for the keys and another for the values
	LeaveOut   []int   // blocks without rows, by number, the decoder's counted after the encoder's
	NoEncoder  bool    // no rows in the encoder of a model that has a decoder too
	NoCross    bool    // no rows where the decoder looks at the encoder
	Head       bool    // train the model's head whole
}

// Attach puts the rows before keys and values.
func (c Hub) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	all := c.locations(s)
	if len(all) == 0 {
		return nil, errors.New("prefix: the model has no peft.Attention, or none is left in, for rows to stand in front of")
	}
	q := peft.NewPatch(s)
	for _, l := range all {
		if err := c.at(q, l, rng); err != nil {
			return nil, err
		}
	}
	if c.Head {
		q.TrainHead()
	}
	return q, nil
}

func (c Hub) check() error {
	if _, err := peft.Activation(c.activation()); err != nil {
		return fmt.Errorf("prefix: %w", err)
	}
	if c.Dropout < 0 || c.Dropout >= 1 {
		return fmt.Errorf("prefix: Dropout is %v, must be at least 0 and below 1", c.Dropout)
	}
	return cmp.Or(within("Tokens", c.Tokens, 1, mostTokens), within("Hidden", c.Hidden, 0, mostHidden))
}

func (c Hub) activation() string { return cmp.Or(c.Activation, "tanh") }

// A location is attentions of one kind, which share rows.
type location struct {
	name string
	at   []*peft.Attention
}

// locations are those of a model that have rows.
func (c Hub) locations(s *peft.Sites) (all []location) {
	find := func(name string, is func(*peft.Attention) bool, before int) {
		l := location{name: name}
		for a := range s.Attentions() {
			if is(a) && !slices.Contains(c.LeaveOut, before+a.Layer()) {
				l.at = append(l.at, a)
			}
		}
		if len(l.at) > 0 {
			all = append(all, l)
		}
	}
	encoders := encoderBlocks(s)
	switch {
	case encoders == 0 && s.ModelType() == "distilbert":
		find("self", func(*peft.Attention) bool { return true }, 0)
		return all
	case encoders > 0 && !c.NoEncoder:
		find("encoder_prefix", func(a *peft.Attention) bool { return !a.Causal && !a.Cross }, 0)
	}
	find("self_prefix", func(a *peft.Attention) bool { return !a.Cross && (a.Causal || encoders == 0) }, encoders)
	if !c.NoCross {
		find("cross_prefix", func(a *peft.Attention) bool { return a.Cross }, encoders)
	}
	return all
}

// encoderBlocks is the number of an encoder's blocks, 0 in a model of one stack.
func encoderBlocks(s *peft.Sites) (n int) {
	cross := false
	for a := range s.Attentions() {
		cross = cross || a.Cross
		if !a.Causal && !a.Cross {
			n++
		}
	}
	if !cross {
		return 0
	}
	return n
}

// at puts rows at one location.
func (c Hub) at(q *peft.Patch, l location, rng peft.Rand) error {
	width, size := 0, l.at[0].KVHeads*l.at[0].HeadSize
	for x := range q.Sites().Sublayers() {
		width = x.Size
	}
	if width == 0 {
		return errors.New("prefix: the model has no peft.Sublayer, whose stream says how wide rows are")
	}
	rows := c.source(q, l, width, size, rng)
	for i, a := range l.at {
		if a.KVHeads*a.HeadSize != size {
			return fmt.Errorf("prefix: %s has keys of %d numbers, other layers have %d", a.Name(), a.KVHeads*a.HeadSize, size)
		}
		r := keysValues{source: rows, layer: i, size: size}
		if !c.Gate {
			q.Prepend(a, r)
			continue
		}
		gates := 1
		if c.KeyGate {
			gates = 2
		}
		q.Prepend(a, gated{r, peft.NewSequenceGate(q, a.Name()+"/prefix_gates", width, gates, rng)})
	}
	return nil
}

// source makes the parameters of a location's rows.
func (c Hub) source(q *peft.Patch, l location, width, size int, rng peft.Rand) source {
	wide := 2 * len(l.at) * size
	if c.Flat {
		x := q.NewParam(l.name+"/control_trans", peft.Normal(rng, c.Tokens*wide, 1), c.Tokens*wide)
		return dropped{folded{x, c.Tokens}, c.Dropout, l.name}
	}
	f, _ := peft.Activation(c.activation())
	n := network{q: q, kind: l.name, table: "wte.weight", maps: "control_trans", f: f}
	n.addTable(rng, c.Tokens, width)
	n.addMaps(rng, width, cmp.Or(c.Hidden, 512), wide)
	return dropped{n, c.Dropout, l.name}
}

// folded is rows that are one long parameter.
type folded struct {
	x *peft.Param
	n int
}

func (f folded) rows(p *peft.Pass) *tensor.Tensor {
	return tensor.Reshape(f.x.In(p), f.n, f.x.Len()/f.n)
}

// dropped is rows with dropout, the same for all layers of a pass.
type dropped struct {
	source
	prob float64
	name string
}

func (d dropped) rows(p *peft.Pass) *tensor.Tensor {
	return p.Dropout(d.source.rows(p), d.prob, d.name+"/dropout")
}

// gated is a layer's keys and values, scaled for each sequence by gates on what the attention reads: the first for the keys, the last for the values.
type gated struct {
	keysValues
	gate *peft.SequenceGate
}

func (r gated) Forward(p *peft.Pass, t peft.Tap) peft.Prepended {
	pre, g := r.keysValues.Forward(p, t), r.gate.Value(p, t.X)
	pre.K, pre.V = peft.PerSequence(pre.K, tensor.Columns(g, 0, 1)), peft.PerSequence(pre.V, tensor.Columns(g, g.Cols()-1, g.Cols()))
	return pre
}
