package prefix

import (
	"cmp"
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// A PTuning is P-tuning: virtual tokens before the input, which a network makes of a table [V×d] while they are trained.
type PTuning struct {
	Tokens  int      // V, at least 1
	Encoder Encoder  // the network; empty: MLP
	Hidden  int      // its width; 0: as wide as the embeddings
	Layers  int      // of the LSTM; 0: 2
	Dropout float64  // between the layers of the LSTM, in training
	Save    []string // modules trained whole, by the end of their name: a new head
	Head    bool     // train the model's head whole, whatever its name

	origin
}

// An Encoder is a network that makes virtual tokens, in the words of Hugging Face PEFT.
type Encoder string

// The networks.
const (
	MLP  Encoder = "MLP"  // three maps with ReLU between them
	LSTM Encoder = "LSTM" // a bidirectional LSTM, then two maps with ReLU between them
)

// Attach puts the virtual tokens before the input.
func (c PTuning) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	p, err := newPrompt(s, c.Tokens, c.origin)
	if err != nil {
		return nil, err
	}
	p.put(c.source(p, rng))
	p.q.TrainModules(s.Modules(c.Save, c.Head))
	return p.q, nil
}

func (c PTuning) check() error {
	switch {
	case c.Encoder != "" && c.Encoder != MLP && c.Encoder != LSTM:
		return fmt.Errorf("prefix: Encoder is %q, must be %q or %q", c.Encoder, MLP, LSTM)
	case c.Dropout < 0 || c.Dropout >= 1:
		return fmt.Errorf("prefix: Dropout is %v, must be at least 0 and below 1", c.Dropout)
	}
	return cmp.Or(within("Hidden", c.Hidden, 0, mostHidden), within("Layers", c.Layers, 0, mostLayers))
}

// source makes the parameters.
func (c PTuning) source(p *prompt, rng peft.Rand) source {
	if c.saved {
		return newRows(p.q, "prompt", nil, p.rows(), p.Dim)
	}
	n, hidden := c.network(p.q), c.hidden(p.sizes)
	n.addTable(rng, p.rows(), p.Dim)
	if c.Encoder != LSTM {
		n.addMaps(rng, p.Dim, hidden, hidden, p.Dim)
		return n
	}
	n.addLSTM(rng, p.Dim, hidden, c.layers())
	n.addMaps(rng, 2*hidden, 2*hidden, p.Dim)
	return n
}

func (c PTuning) hidden(n sizes) int {
	if c.Hidden == 0 {
		return n.Dim
	}
	return c.Hidden
}

func (c PTuning) layers() int {
	if c.Layers == 0 {
		return 2
	}
	return c.Layers
}

func (c PTuning) network(q *peft.Patch) network {
	return network{q: q, kind: "prompt", table: "embedding.weight", maps: "mlp_head", f: tensor.ReLU, dropout: c.Dropout}
}

// Collapse puts the rows that the network makes in its place.
func (c PTuning) Collapse(p *peft.Pass, q *peft.Patch) (peft.Method, map[string]*tensor.Tensor) {
	if c.saved {
		return nil, nil
	}
	c.saved = true
	return c, c.network(q).collapsed(p)
}
