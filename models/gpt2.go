package models

import (
	"math"

	"peft/peft"
	"peft/tensor"
)

// GPT2 is GPT-2 without a head (Radford et al. 2019): a pre-norm decoder with learned positions. Its checkpoints hold the matrices of the blocks as [in out].
type GPT2 struct {
	base
	Word     peft.Embedding `name:"wte"`
	Input    peft.Sequence  `name:"input"`
	Position peft.Embedding `name:"wpe"`
	Embedded peft.Hidden    `name:"drop"`
	Layer    []*GPT2Layer   `name:"h"`
	Last     peft.Hidden    `name:"h"`
	Norm     peft.Norm      `name:"ln_f"`
}

// GPT2Layer is one block: self-attention and a feed-forward network, each a residual branch with a norm at its start.
type GPT2Layer struct {
	Norm     peft.Norm      `name:"ln_1"`
	Fused    peft.Linear    `name:"attn.c_attn"` // query, key and value
	Self     peft.Attention `name:"attn"`
	Output   peft.Linear    `name:"attn.c_proj"`
	Attended peft.Sublayer  `name:"attn.residual"`
	FeedNorm peft.Norm      `name:"ln_2"`
	Up       peft.Linear    `name:"mlp.c_fc"`
	Down     peft.Linear    `name:"mlp.c_proj"`
	Fed      peft.Sublayer  `name:"mlp"`
	Out      peft.Hidden    `name:""`
	act      tensor.Func
	scale    float64
	dropout  float64
}

func newGPT2(c *Config) *GPT2 {
	m := &GPT2{
		base: base{c}, Word: peft.NewEmbedding(c.Vocabulary, c.Hidden), Input: peft.Sequence{Size: c.Hidden}, Position: peft.NewEmbedding(c.Positions, c.Hidden),
		Embedded: peft.Hidden{Size: c.Hidden}, Last: peft.Hidden{Size: c.Hidden}, Norm: peft.NewNorm(c.Hidden, c.Eps, false),
	}
	for i := range c.Layers {
		m.Layer = append(m.Layer, newGPT2Layer(c, i))
	}
	return m
}

func newGPT2Layer(c *Config, number int) *GPT2Layer {
	d := c.Hidden
	l := &GPT2Layer{
		Norm: peft.NewNorm(d, c.Eps, false), Fused: conv1D(d, 3*d, peft.Fused),
		Self:   peft.Attention{Heads: c.Heads, KVHeads: c.Heads, HeadSize: d / c.Heads, Dropout: c.AttnDropout, Causal: true},
		Output: conv1D(d, d, peft.Output), Attended: peft.Sublayer{Role: peft.SelfBlock, Size: d}, FeedNorm: peft.NewNorm(d, c.Eps, false),
		Up: conv1D(d, c.Intermediate, peft.Up), Down: conv1D(c.Intermediate, d, peft.Down), Fed: peft.Sublayer{Role: peft.FFN, Size: d}, Out: peft.Hidden{Size: d},
		act: activations[c.Act], scale: c.scoreScale(number), dropout: c.Dropout,
	}
	l.Fused.Parts = []peft.Part{{Role: peft.Query, Lo: 0, Hi: d}, {Role: peft.Key, Lo: d, Hi: 2 * d}, {Role: peft.Value, Lo: 2 * d, Hi: 3 * d}}
	return l
}

// conv1D is a linear map whose matrix the checkpoint holds as [in out].
func conv1D(in, out int, role peft.Role) peft.Linear {
	return peft.Linear{In: in, Out: out, W: &peft.Frozen{Shape: []int{out, in}, Transposed: true}, B: &peft.Frozen{Shape: []int{out}}, Role: role}
}

// scoreScale is the factor on the attention scores of a layer.
func (c *Config) scoreScale(layer int) float64 {
	scale := 1.0
	if c.ScaleScores {
		scale = 1 / math.Sqrt(float64(c.Hidden/c.Heads))
	}
	if c.ScaleByLayer {
		scale /= float64(layer + 1)
	}
	return scale
}

// Forward is the last hidden state [rows×size].
func (m *GPT2) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Input.Apply(p, m.Word.Apply(p, b.IDs, b.Layout))
	x = tensor.Add(x, m.Position.Apply(p, x.Layout().Pos, x.Layout()))
	x = m.Embedded.Apply(p, p.Dropout(x, m.config.EmbedDropout, m.Embedded.Name()))
	x = peft.Chain(p, x, m.Layer, (*GPT2Layer).Forward)
	return m.Norm.Apply(p, m.Last.Apply(p, x))
}

// Forward is the block's output for its input x.
func (l *GPT2Layer) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	h := l.Norm.Apply(p, x)
	x = l.Attended.Apply(p, x, h, p.Dropout(l.attend(p, h), l.dropout, l.Output.Name()))
	h = l.FeedNorm.Apply(p, x)
	fed := l.Down.Apply(p, l.Up.Activated(p, h, l.act))
	return l.Out.Apply(p, l.Fed.Apply(p, x, h, p.Dropout(fed, l.dropout, l.Down.Name())))
}

func (l *GPT2Layer) attend(p *peft.Pass, h *tensor.Tensor) *tensor.Tensor {
	d, qkv := l.Fused.In, l.Fused.Apply(p, h)
	q, k, v := tensor.Columns(qkv, 0, d), tensor.Columns(qkv, d, 2*d), tensor.Columns(qkv, 2*d, 3*d)
	return l.Output.Apply(p, l.Self.Apply(p, h, q, k, v, tensor.Attention{Scale: l.scale, Mask: tensor.Mask{Causal: true}}))
}

// GPT2LMHeadModel predicts the next token, by the table that embeds them.
type GPT2LMHeadModel struct {
	*GPT2  `name:"transformer"`
	Output peft.Linear `name:"lm_head"`
}

// Forward is logits [rows×vocabulary].
func (m *GPT2LMHeadModel) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Output.Apply(p, m.GPT2.Forward(p, b))
}

// Loss is that of the next tokens, for some rows of logits at a time.
func (m *GPT2LMHeadModel) Loss(p *peft.Pass, b *Batch) (*tensor.Tensor, error) {
	return headLoss(p, b, m.GPT2.Forward, &m.Output)
}

// Task is causal language modelling.
func (m *GPT2LMHeadModel) Task() Task { return CausalLM }

// GPT2ForSequenceClassification is a linear map on the last token of each sequence that is not padding.
type GPT2ForSequenceClassification struct {
	*GPT2 `name:"transformer"`
	Score peft.Linear `name:"score"`
}

// Forward is logits [sequences×labels].
func (m *GPT2ForSequenceClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Score.Apply(p, lasts(m.GPT2.Forward(p, b), b, m.config.PadID))
}

// Task is sequence classification.
func (m *GPT2ForSequenceClassification) Task() Task { return SequenceClassification }
