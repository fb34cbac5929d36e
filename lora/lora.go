package lora

import (
	"fmt"
	"math"

	"peft/peft"
	"peft/tensor"
)

// A Config is LoRA: low-rank updates of linear maps and embeddings. Its zero value, with a rank, adapts the maps that are usual for the model.
type Config struct {
	Rank         int             // r, at least 1
	Alpha        float64         // α; 0 means Rank, so that s = 1
	On           peft.Selection  // the sites; nil: what is usual for the model's type
	Dropout      float64         // on the branch's input, in training
	RSLoRA       bool            // s = α/√r (Kalajdzievski 2023, arXiv:2312.03732)
	Bias         Bias            // which of the base's biases are trained too
	OwnBias      bool            // a bias on B
	Init         Init            // how A and B start
	RankPattern  peft.PatternMap // ranks of single sites, by name
	AlphaPattern peft.PatternMap // α of single sites, by name
	Save         []string        // modules trained whole, by the end of their name: a new head
	Head         bool            // train the model's head whole, whatever its name
}

// A Bias says which biases of the base are trained with a patch.
type Bias string

// The choices of Hugging Face PEFT.
const (
	NoBias   Bias = "none"
	AllBias  Bias = "all"       // every bias of the model
	OnlyLoRA Bias = "lora_only" // those of the adapted maps
)

// An Init is how a fresh patch starts.
type Init string

// The initialisations. Each but [Random] leaves the model as it is.
const (
	Kaiming  Init = "kaiming"  // A uniform within ±1/√in, B zero
	Gaussian Init = "gaussian" // A normal of standard deviation 1/r, B zero
	Random   Init = "random"   // A and B uniform: for tests, where a difference must show
)

// Attach puts a low-rank update at each chosen site.
func (c Config) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	sites, err := peft.Except(c.selection(s), c.modules(s)).Select(s)
	if err != nil {
		return nil, err
	}
	q := peft.NewPatch(s)
	for _, x := range sites {
		if err := c.site(q, x, rng); err != nil {
			return nil, fmt.Errorf("lora: %s: %w", x.Name(), err)
		}
	}
	c.whole(q, sites)
	return q, keepEmbeddings(q, c.selection(s), sites)
}

func (c Config) check() error {
	switch {
	case c.Rank < 1:
		return fmt.Errorf("lora: Rank is %d, must be at least 1", c.Rank)
	case c.Dropout < 0 || c.Dropout >= 1:
		return fmt.Errorf("lora: Dropout is %v, must be at least 0 and below 1", c.Dropout)
	case c.Bias != "" && c.Bias != NoBias && c.Bias != AllBias && c.Bias != OnlyLoRA:
		return fmt.Errorf("lora: Bias is %q, must be %q, %q or %q", c.Bias, NoBias, AllBias, OnlyLoRA)
	case c.Init != "" && c.Init != Kaiming && c.Init != Gaussian && c.Init != Random:
		return fmt.Errorf("lora: Init is %q, must be %q, %q or %q", c.Init, Kaiming, Gaussian, Random)
	}
	return nil
}

func (c Config) selection(s *peft.Sites) peft.Selection {
	if c.On != nil {
		return c.On
	}
	return peft.Usual("LORA", s.ModelType())
}

// site adds the update to one site.
func (c Config) site(q *peft.Patch, x peft.Site, rng peft.Rand) error {
	r, scale := c.rank(x.Name())
	if r < 1 {
		return fmt.Errorf("rank is %d, must be at least 1", r)
	}
	switch x := x.(type) {
	case *peft.Linear:
		q.Add(x, peft.Out, c.linear(q, x, r, scale, rng))
	case *peft.Embedding:
		q.Add(x, peft.Out, c.embedding(q, x, r, scale, rng))
	default:
		return fmt.Errorf("LoRA adapts linear maps and embeddings, not a %T", x)
	}
	return nil
}

// rank is a site's rank and the factor s on its update.
func (c Config) rank(name string) (r int, scale float64) {
	r, alpha := c.Rank, c.Alpha
	if v, ok := c.RankPattern.Lookup(name); ok {
		r = int(v)
	}
	if v, ok := c.AlphaPattern.Lookup(name); ok {
		alpha = v
	}
	if alpha == 0 {
		alpha = float64(r)
	}
	if c.RSLoRA {
		return r, alpha / math.Sqrt(float64(r))
	}
	return r, alpha / float64(r)
}

// whole trains what is not low-rank: modules saved whole, the head, biases of the base.
func (c Config) whole(q *peft.Patch, sites []peft.Site) {
	save := c.modules(q.Sites())
	q.TrainModules(save)
	if c.Bias == AllBias {
		q.TrainBiases()
		keepOriginals(q, save)
	}
	for _, x := range sites {
		if l, ok := x.(*peft.Linear); ok && c.Bias == OnlyLoRA && !l.B.Absent {
			q.Train(l.B)
		}
	}
}

// linear makes the parameters of an update of a linear map.
func (c Config) linear(q *peft.Patch, l *peft.Linear, r int, scale float64, rng peft.Rand) *linear {
	a := peft.Uniform(rng, r*l.In, 1/math.Sqrt(float64(l.In)))
	if c.Init == Gaussian {
		a = peft.Normal(rng, r*l.In, 1/float64(r))
	}
	var b []float64
	if c.Init == Random {
		b = peft.Uniform(rng, l.Out*r, 1/math.Sqrt(float64(r)))
	}
	d := &linear{
		A: q.NewParam(l.Name()+"/lora_A", a, r, l.In), B: q.NewParam(l.Name()+"/lora_B", b, l.Out, r),
		scale: scale, dropout: c.Dropout, key: l.Name() + "/lora_dropout",
	}
	if c.OwnBias {
		d.bias = q.NewParam(l.Name()+"/lora_bias", nil, l.Out)
	}
	return d
}

// linear is Δ(x) = s·((dropout(x)·Aᵀ)·Bᵀ + bias).
type linear struct {
	A, B, bias     *peft.Param
	scale, dropout float64
	key            string
}

// LowRank is the update as a product of low rank; not with a bias of its own.
func (d *linear) LowRank(p *peft.Pass, t peft.Tap) *tensor.LowRank {
	if d.bias != nil {
		return nil
	}
	return d.product(p, t.X)
}

func (d *linear) product(p *peft.Pass, x *tensor.Tensor) *tensor.LowRank {
	return &tensor.LowRank{X: p.Dropout(x, d.dropout, d.key), A: d.A.In(p), B: d.B.In(p), Scale: d.scale}
}

func (d *linear) Forward(p *peft.Pass, t peft.Tap) *tensor.Tensor {
	y := d.product(p, t.X).Value()
	if d.bias != nil {
		y = tensor.Add(y, tensor.Scale(d.bias.In(p), d.scale))
	}
	return y
}

// Fold makes W' = W + s·B·A and b' = b + s·bias.
func (d *linear) Fold(p *peft.Pass, w, b *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	w = tensor.Add(w, tensor.Scale(tensor.MatMul(d.B.In(p), d.A.In(p)), d.scale))
	if d.bias == nil {
		return w, b
	}
	own := tensor.Scale(d.bias.In(p), d.scale)
	if b != nil {
		own = tensor.Add(own, tensor.Reshape(b, b.Len()))
	}
	return w, own
}
