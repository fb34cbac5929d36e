package models

import (
	"peft/peft"
	"peft/tensor"
)

// OPT is OPT without a head (Zhang et al. 2022, arXiv:2205.01068): a pre-norm decoder with learned positions, which count tokens only and begin at 2.
type OPT struct {
	base
	Word     peft.Embedding `name:"decoder.embed_tokens"`
	Input    peft.Sequence  `name:"decoder.input"`
	Position peft.Embedding `name:"decoder.embed_positions"`
	Embedded peft.Hidden    `name:"decoder.embedded"`
	Layer    []*OPTLayer    `name:"decoder.layers"`
	Last     peft.Hidden    `name:"decoder.layers"`
	Norm     peft.Norm      `name:"decoder.final_layer_norm"`
}

// OPTLayer is one block: self-attention and a feed-forward network, each a residual branch with a norm at its start.
type OPTLayer struct {
	Norm     peft.Norm      `name:"self_attn_layer_norm"`
	Query    peft.Linear    `name:"self_attn.q_proj"`
	Key      peft.Linear    `name:"self_attn.k_proj"`
	Value    peft.Linear    `name:"self_attn.v_proj"`
	Self     peft.Attention `name:"self_attn"`
	Output   peft.Linear    `name:"self_attn.out_proj"`
	Attended peft.Sublayer  `name:"self_attn.residual"`
	FeedNorm peft.Norm      `name:"final_layer_norm"`
	Up       peft.Linear    `name:"fc1"`
	Down     peft.Linear    `name:"fc2"`
	Fed      peft.Sublayer  `name:"fc2.residual"`
	Out      peft.Hidden    `name:""`
	act      tensor.Func
	dropout  float64
}

// optOffset is the first position.
const optOffset = 2

func newOPT(c *Config) *OPT {
	m := &OPT{
		base: base{c}, Word: peft.NewEmbedding(c.Vocabulary, c.Hidden), Input: peft.Sequence{Size: c.Hidden, First: optOffset}, Position: peft.NewEmbedding(c.Positions+optOffset, c.Hidden),
		Embedded: peft.Hidden{Size: c.Hidden}, Last: peft.Hidden{Size: c.Hidden}, Norm: peft.NewNorm(c.Hidden, c.Eps, false),
	}
	for range c.Layers {
		m.Layer = append(m.Layer, newOPTLayer(c))
	}
	return m
}

func newOPTLayer(c *Config) *OPTLayer {
	d, bias := c.Hidden, c.Bias
	return &OPTLayer{
		Norm: peft.NewNorm(d, c.Eps, false), Query: peft.NewLinear(d, d, bias, peft.Query), Key: peft.NewLinear(d, d, bias, peft.Key), Value: peft.NewLinear(d, d, bias, peft.Value),
		Self:   peft.Attention{Heads: c.Heads, KVHeads: c.Heads, HeadSize: c.HeadSize, Dropout: c.AttnDropout, Causal: true},
		Output: peft.NewLinear(d, d, bias, peft.Output), Attended: peft.Sublayer{Role: peft.SelfBlock, Size: d}, FeedNorm: peft.NewNorm(d, c.Eps, false),
		Up: peft.NewLinear(d, c.Intermediate, bias, peft.Up), Down: peft.NewLinear(c.Intermediate, d, bias, peft.Down), Fed: peft.Sublayer{Role: peft.FFN, Size: d},
		Out: peft.Hidden{Size: d}, act: activations[c.Act], dropout: c.Dropout,
	}
}

// Forward is the last hidden state [rows×size].
func (m *OPT) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Input.Apply(p, m.Word.Apply(p, b.IDs, b.Layout))
	x = m.Embedded.Apply(p, tensor.Add(x, m.Position.Apply(p, x.Layout().Pos, x.Layout())))
	x = peft.Chain(p, x, m.Layer, (*OPTLayer).Forward)
	return m.Norm.Apply(p, m.Last.Apply(p, x))
}

// Forward is the block's output for its input x.
func (l *OPTLayer) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	h := l.Norm.Apply(p, x)
	q, k, v := l.Query.Apply(p, h), l.Key.Apply(p, h), l.Value.Apply(p, h)
	attended := l.Output.Apply(p, l.Self.Apply(p, h, q, k, v, tensor.Attention{Mask: tensor.Mask{Causal: true}}))
	x = l.Attended.Apply(p, x, h, p.Dropout(attended, l.dropout, l.Output.Name()))
	h = l.FeedNorm.Apply(p, x)
	fed := l.Down.Apply(p, l.Up.Activated(p, h, l.act))
	return l.Out.Apply(p, l.Fed.Apply(p, x, h, p.Dropout(fed, l.dropout, l.Down.Name())))
}

// Limits are the sizes of the embeddings.
func (m *OPT) Limits() Limits {
	l := m.base.Limits()
	l.Positions += optOffset
	return l
}

// Positions counts the tokens that are not masked.
func (m *OPT) Positions(s Sequence) []int32 {
	pos, at := make([]int32, len(s.IDs)), int32(optOffset-1)
	for t := range pos {
		if s.Mask == nil || s.Mask[t] {
			at++
		}
		pos[t] = at
	}
	return pos
}

// OPTForCausalLM predicts the next token.
type OPTForCausalLM struct {
	*OPT   `name:"model"`
	Output peft.Linear `name:"lm_head"`
}

// Forward is logits [rows×vocabulary].
func (m *OPTForCausalLM) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Output.Apply(p, m.OPT.Forward(p, b))
}

// Loss is that of the next tokens, for some rows of logits at a time.
func (m *OPTForCausalLM) Loss(p *peft.Pass, b *Batch) (*tensor.Tensor, error) {
	return headLoss(p, b, m.OPT.Forward, &m.Output)
}

// Task is causal language modelling.
func (m *OPTForCausalLM) Task() Task { return CausalLM }
