package lora

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"peft/peft"
	"peft/tensor"
)

// A Config is LoRA: low-rank updates of linear maps and embeddings. Its zero value, with a rank, adapts the maps that are usual for the model.
type Config struct {
	Rank         int             `json:"r"`                       // r, at least 1
	Alpha        float64         `json:"lora_alpha"`              // α; 0 means Rank, so that s = 1
	On           peft.Selection  `json:"-"`                       // the sites; nil: what is usual for the model's type
	Dropout      float64         `json:"lora_dropout"`            // on the branch's input, in training
	RSLoRA       bool            `json:"use_rslora"`              // s = α/√r (Kalajdzievski 2023, arXiv:2312.03732)
	DoRA         bool            `json:"use_dora"`                // the length of each row of W, or of each column of a table, is trained apart (Liu et al. 2024, arXiv:2402.09353)
	Bias         Bias            `json:"-"`                       // which of the base's biases are trained too
	OwnBias      bool            `json:"lora_bias"`               // a bias on B
	Init         Init            `json:"init_lora_weights"`       // how A and B start
	RankPattern  peft.PatternMap `json:"rank_pattern"`            // ranks of single sites, by name
	AlphaPattern peft.PatternMap `json:"alpha_pattern"`           // α of single sites, by name
	Tokens       TokenRows       `json:"trainable_token_indices"` // rows of embeddings that are trained too
	Tie          bool            `json:"ensure_weight_tying"`     // an embedding's update is that of the maps which share its table, too
	Parameters   []string        `json:"target_parameters"`       // weights that are updated too, by the end of their name; where there are some, On that is nil chooses nothing
	Invocation   []int32         `json:"alora_invocation_tokens"` // aLoRA: in each sequence the update begins where these tokens stand last; none: everywhere
	Replication  [][2]int        `json:"layer_replication"`       // ranges of layers that the model has been opened with, in this order, some perhaps more than once
	Save         []string        `json:"-"`                       // modules trained whole, by the end of their name: a new head
	Head         bool            `json:"-"`                       // train the model's head whole, whatever its name

	filed bool // the parameters are in a file
}

// Attach puts a low-rank update at each chosen site.
func (c Config) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	sites, err := c.common().targeted().Sites(lora.name, s)
	if err != nil {
		return nil, err
	}
	own, err := c.untied(s, sites)
	if err != nil {
		return nil, err
	}
	if c.Init.fromData() {
		return nil, fmt.Errorf("lora: Init is %q, which is made of what a model computes for examples: only a patch that has been made can be read", c.Init)
	}
	if err := c.replicated(s); err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, x := range own {
		if err := c.site(q, x, rng); err != nil {
			return nil, fmt.Errorf("lora: %s: %w", x.Name(), err)
		}
	}
	more, err := c.parameters(q, sites, rng)
	if err != nil {
		return nil, err
	}
	return q, cmp.Or(c.Tokens.train(q), c.common().whole(q, lora, append(c.withTied(s, own), more...)))
}

// replicated wants the model to have as many layers as it is to be opened with.
func (c Config) replicated(s *peft.Sites) error {
	want, have := 0, 0
	for _, layers := range c.Replication {
		want += layers[1] - layers[0]
	}
	for x := range s.All() {
		have = max(have, x.Layer()+1)
	}
	if len(c.Replication) > 0 && want != have {
		return fmt.Errorf("lora: Replication is of %d layers, the model has %d: it is to be opened for the adapter", want, have)
	}
	return nil
}

// Filed is the method as a file may have it: with any rank, with α that is 0, and begun in a way that does not matter any more.
func (c Config) Filed() peft.Method {
	c.filed = true
	if c.Alpha == 0 {
		c.AlphaPattern.Set(".*", 0)
	}
	if c.Init.fromData() {
		c.Init = ""
	}
	return c
}

func (c Config) common() Common {
	if c.onlyParameters() {
		c.On = nowhere{}
	}
	return Common{c.On, c.Bias, c.Save, c.Head, c.Tie && c.savesEmbedding(), c.Tokens != nil}
}

func (c *Config) set(shared Common) {
	c.On, c.Bias, c.Save, c.Head = shared.On, shared.Bias, shared.Save, shared.Head
}

func (c Config) check() error {
	switch {
	case c.DoRA && c.OwnBias:
		return errors.New("lora: DoRA has no bias of its own: OwnBias must be false")
	case c.DoRA && c.Tie:
		return errors.New("lora: DoRA is of one map or embedding: Tie must be false")
	case len(c.Invocation) > 0 && (c.DoRA || len(c.Parameters) > 0):
		return errors.New("lora: aLoRA is no DoRA and updates linear maps only: with an Invocation, DoRA must be false and Parameters empty")
	}
	return cmp.Or(c.checkParameters(), within("Rank", c.Rank, 1, mostRank), probability("Dropout", c.Dropout), c.common().check(lora), c.Init.check(Gaussian, PiSSA, OLoRA, Orthogonal, EVA, LoRAGA))
}

// site adds the update to one site.
func (c Config) site(q *peft.Patch, x peft.Site, rng peft.Rand) error {
	r, scale, err := c.scale(x.Name())
	if err != nil {
		return err
	}
	switch x := x.(type) {
	case *peft.Linear:
		d, base, err := c.linear(q, x, r, scale, rng)
		switch {
		case err != nil:
			return err
		case c.DoRA:
			q.Add(x, peft.Out, d.dora(q, x, base))
		case len(c.Invocation) > 0:
			q.Add(x, peft.Out, &invoked{d, c.Invocation})
		default:
			q.Add(x, peft.Out, d)
		}
	case *peft.Embedding:
		if len(c.Invocation) > 0 {
			return errors.New("aLoRA adapts linear maps, not embeddings")
		}
		if err := c.fits(r, x.Num, x.Size); err != nil {
			return err
		}
		d := c.embedding(q, x, r, scale, rng)
		if c.DoRA {
			q.Add(x, peft.Out, d.dora(q, x))
		} else {
			c.addEmbedding(q, x, d)
		}
	default:
		return fmt.Errorf("LoRA adapts linear maps and embeddings, not a %T", x)
	}
	return nil
}

// fits wants a rank that somebody asks for not to be a mistake.
func (c Config) fits(rank, out, in int) error {
	if c.filed {
		return nil
	}
	return fits(rank, out, in)
}

func (c Config) ranks() ranks { return ranks{c.Rank, c.Alpha, c.RankPattern, c.AlphaPattern} }

// scale is a site's rank and the factor s on its update.
func (c Config) scale(name string) (r int, scale float64, err error) {
	r, alpha, err := c.ranks().of(name)
	if c.RSLoRA {
		return r, alpha / math.Sqrt(float64(r)), err
	}
	return r, alpha / float64(r), err
}

// linear makes the parameters of an update of a linear map, and says what is left of the map's matrix beside it.
func (c Config) linear(q *peft.Patch, l *peft.Linear, r int, scale float64, rng peft.Rand) (d *linear, base func(*peft.Pass) tensor.Map, err error) {
	if err := c.fits(r, l.Out, l.In); err != nil {
		return nil, nil, err
	}
	dev := q.Sites().Device()
	a, b, taken, err := c.start(l, dev, r, scale, rng)
	if err != nil {
		return nil, nil, err
	}
	base = func(*peft.Pass) tensor.Map { return l.W.W }
	if taken {
		less := residual{dev.Constant(a, r, l.In), dev.Constant(b, l.Out, r), scale}
		base = func(p *peft.Pass) tensor.Map { return less.Value(p, l.W, l.W.W) }
		q.Substitute(l.W, less)
	}
	d = &linear{A: q.NewParam(l.Name()+"/lora_A", a, r, l.In), B: q.NewParam(l.Name()+"/lora_B", b, l.Out, r)}
	d.factored = factored{branchOf(l, c.Dropout), scale, d.both}
	if c.OwnBias {
		d.bias = q.NewParam(l.Name()+"/lora_bias", nil, l.Out)
	}
	return d, base, nil
}

// linear is Δ(x) = s·((dropout(x)·Aᵀ)·Bᵀ + bias).
type linear struct {
	factored
	A, B, bias *peft.Param
}

func (d *linear) both(p *peft.Pass) (a, b *tensor.Tensor) { return d.A.In(p), d.B.In(p) }

// LowRank is the update as a product of low rank; not with a bias of its own.
func (d *linear) LowRank(p *peft.Pass, t peft.Tap) *tensor.LowRank {
	if d.bias != nil {
		return nil
	}
	return d.factored.LowRank(p, t)
}

// Forward is the update, bias and all.
func (d *linear) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	y := d.factored.Forward(p, t)
	if d.bias != nil {
		y = tensor.Add(y, tensor.Scale(d.bias.In(p), d.scale))
	}
	return y
}

// Fold makes W' = W + s·B·A and b' = b + s·bias.
func (d *linear) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	w, b = d.factored.Fold(p, w, b)
	if d.bias == nil {
		return w, b
	}
	own := tensor.Scale(d.bias.In(p), d.scale)
	if b != nil {
		own = tensor.Add(own, tensor.Reshape(b, b.Len()))
	}
	return w, own
}
