package models

import (
	"peft/peft"
	"peft/tensor"
)

// GPTNeoX is GPT-NeoX without a head (Black et al. 2022, arXiv:2204.06745), and Pythia: a pre-norm decoder whose branches may both read the block's input, and which turns a part of each head.
type GPTNeoX struct {
	base
	Word     peft.Embedding  `name:"embed_in"`
	Input    peft.Sequence   `name:"input"`
	Embedded peft.Hidden     `name:"emb_dropout"`
	Layer    []*GPTNeoXLayer `name:"layers"`
	Last     peft.Hidden     `name:"layers"`
	Norm     peft.Norm       `name:"final_layer_norm"`
}

// GPTNeoXLayer is one block: self-attention and a feed-forward network.
type GPTNeoXLayer struct {
	Norm     peft.Norm      `name:"input_layernorm"`
	Fused    peft.Linear    `name:"attention.query_key_value"` // head by head: query, key, value
	Self     peft.Attention `name:"attention"`
	Output   peft.Linear    `name:"attention.dense"`
	Attended peft.Sublayer  `name:"attention.residual"`
	FeedNorm peft.Norm      `name:"post_attention_layernorm"`
	Up       peft.Linear    `name:"mlp.dense_h_to_4h"`
	Down     peft.Linear    `name:"mlp.dense_4h_to_h"`
	Fed      peft.Sublayer  `name:"mlp"`
	Out      peft.Hidden    `name:""`
	config   *Config
}

func newGPTNeoX(c *Config) *GPTNeoX {
	m := &GPTNeoX{
		base: base{c}, Word: peft.NewEmbedding(c.Vocabulary, c.Hidden), Input: peft.Sequence{Size: c.Hidden}, Embedded: peft.Hidden{Size: c.Hidden},
		Last: peft.Hidden{Size: c.Hidden}, Norm: peft.NewNorm(c.Hidden, c.Eps, false),
	}
	for range c.Layers {
		m.Layer = append(m.Layer, newGPTNeoXLayer(c))
	}
	return m
}

func newGPTNeoXLayer(c *Config) *GPTNeoXLayer {
	d := c.Hidden
	l := &GPTNeoXLayer{
		config: c, Norm: peft.NewNorm(d, c.Eps, false), Fused: peft.NewLinear(d, 3*d, c.AttentionBias, peft.Fused),
		Self:   peft.Attention{Heads: c.Heads, KVHeads: c.Heads, HeadSize: c.HeadSize, Dropout: c.AttnDropout, Causal: true},
		Output: peft.NewLinear(d, d, c.AttentionBias, peft.Output), Attended: peft.Sublayer{Role: peft.SelfBlock, Size: d}, FeedNorm: peft.NewNorm(d, c.Eps, false),
		Up: peft.NewLinear(d, c.Intermediate, true, peft.Up), Down: peft.NewLinear(c.Intermediate, d, true, peft.Down),
		Fed: peft.Sublayer{Role: peft.FFN, Size: d}, Out: peft.Hidden{Size: d},
	}
	for i, role := range neoxOrder {
		for h := range c.Heads {
			lo := (3*h + i) * c.HeadSize
			l.Fused.Parts = append(l.Fused.Parts, peft.Part{Role: role, Lo: lo, Hi: lo + c.HeadSize})
		}
	}
	return l
}

// neoxOrder is what the rows of the fused matrix are for, in each head.
var neoxOrder = []peft.Role{peft.Query, peft.Key, peft.Value}

// Forward is the last hidden state [rows×size].
func (m *GPTNeoX) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Input.Apply(p, m.Word.Apply(p, b.IDs, b.Layout))
	x = m.Embedded.Apply(p, p.Dropout(x, m.config.Dropout, m.Embedded.Name()))
	x = peft.Chain(p, x, m.Layer, (*GPTNeoXLayer).Forward)
	return m.Norm.Apply(p, m.Last.Apply(p, x))
}

// Forward is the block's output for its input x.
func (l *GPTNeoXLayer) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	h := l.Norm.Apply(p, x)
	y := l.Attended.Apply(p, x, h, p.Dropout(l.attend(p, h), l.config.Dropout, l.Output.Name()))
	if !l.config.Parallel {
		x = y
	}
	h = l.FeedNorm.Apply(p, x)
	fed := l.Down.Apply(p, l.Up.Activated(p, h, activations[l.config.Act]))
	return l.Out.Apply(p, l.Fed.Apply(p, y, h, p.Dropout(fed, l.config.Dropout, l.Down.Name())))
}

func (l *GPTNeoXLayer) attend(p *peft.Pass, h *tensor.Tensor) *tensor.Tensor {
	qkv, heads, size := l.Fused.Apply(p, h), l.Self.Heads, l.Self.HeadSize
	byHead := tensor.Reshape(qkv, qkv.Rows()*heads, 3*size)
	part := func(i int) *tensor.Tensor {
		return tensor.Reshape(tensor.Columns(byHead, i*size, (i+1)*size), qkv.Rows(), heads*size).WithLayout(qkv.Layout())
	}
	rotary := l.config.rotaries[fullLayer]
	q, k := tensor.Rotate(part(0), heads, rotary), tensor.Rotate(part(1), heads, rotary)
	return l.Output.Apply(p, l.Self.Apply(p, h, q, k, part(2), tensor.Attention{Mask: tensor.Mask{Causal: true}}))
}

// GPTNeoXForCausalLM predicts the next token.
type GPTNeoXForCausalLM struct {
	*GPTNeoX `name:"gpt_neox"`
	Output   peft.Linear `name:"embed_out"`
}

// Forward is logits [rows×vocabulary].
func (m *GPTNeoXForCausalLM) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Output.Apply(p, m.GPTNeoX.Forward(p, b))
}

// Loss is that of the next tokens, for some rows of logits at a time.
func (m *GPTNeoXForCausalLM) Loss(p *peft.Pass, b *Batch) (*tensor.Tensor, error) {
	return headLoss(p, b, m.GPTNeoX.Forward, &m.Output)
}

// Task is causal language modelling.
func (m *GPTNeoXForCausalLM) Task() Task { return CausalLM }
