package models

import (
	"math"

	"peft/peft"
	"peft/tensor"
)

// Gemma is the text model of Gemma 3 without a head (arXiv:2503.19786): Llama with norms around each branch, norms whose gain is 1 + w, norms of heads, scaled embeddings, and layers that see
// a window only, with rotary positions of their own.
type Gemma struct {
	base
	Word     peft.Embedding `name:"embed_tokens"`
	Input    peft.Sequence  `name:"input"`
	Embedded peft.Hidden    `name:"embedded"`
	Layer    []*GemmaLayer  `name:"layers"`
	Last     peft.Hidden    `name:"layers"`
	Norm     peft.Norm      `name:"norm"`
}

// GemmaLayer is one block: self-attention and a gated feed-forward network, each a residual branch with a norm at its start and one at its end.
type GemmaLayer struct {
	Norm         peft.Norm      `name:"input_layernorm"`
	Attention    LlamaAttention `name:"self_attn"`
	AttendedNorm peft.Norm      `name:"post_attention_layernorm"`
	Attended     peft.Sublayer  `name:"self_attn.residual"`
	FeedNorm     peft.Norm      `name:"pre_feedforward_layernorm"`
	Feed         LlamaFeed      `name:"mlp"`
	FedNorm      peft.Norm      `name:"post_feedforward_layernorm"`
	Fed          peft.Sublayer  `name:"mlp"`
	Out          peft.Hidden    `name:""`
}

func newGemma(c *Config) *Gemma {
	m := &Gemma{
		base: base{c}, Word: peft.NewEmbedding(c.Vocabulary, c.Hidden), Input: peft.Sequence{Size: c.Hidden}, Embedded: peft.Hidden{Size: c.Hidden},
		Last: peft.Hidden{Size: c.Hidden}, Norm: c.rmsNorm(c.Hidden),
	}
	m.Word.Scale = math.Sqrt(float64(c.Hidden))
	for i := range c.Layers {
		l := &GemmaLayer{
			Norm: c.rmsNorm(c.Hidden), AttendedNorm: c.rmsNorm(c.Hidden), Attended: peft.Sublayer{Role: peft.SelfBlock, Size: c.Hidden},
			FeedNorm: c.rmsNorm(c.Hidden), FedNorm: c.rmsNorm(c.Hidden), Fed: peft.Sublayer{Role: peft.FFN, Size: c.Hidden}, Out: peft.Hidden{Size: c.Hidden},
		}
		l.Attention.init(c, i)
		l.Feed.init(c)
		m.Layer = append(m.Layer, l)
	}
	return m
}

// Forward is the last hidden state [rows×size].
func (m *Gemma) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Embedded.Apply(p, m.Input.Apply(p, m.Word.Apply(p, b.IDs, b.Layout)))
	x = peft.Chain(p, x, m.Layer, (*GemmaLayer).Forward)
	return m.Norm.Apply(p, m.Last.Apply(p, x))
}

// Forward is the block's output for its input x.
func (l *GemmaLayer) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	h := l.Norm.Apply(p, x)
	x = l.Attended.Apply(p, x, h, l.AttendedNorm.Apply(p, l.Attention.Forward(p, h)))
	h = l.FeedNorm.Apply(p, x)
	return l.Out.Apply(p, l.Fed.Apply(p, x, h, l.FedNorm.Apply(p, l.Feed.Forward(p, h))))
}

// GemmaForCausalLM predicts the next token.
type GemmaForCausalLM struct {
	*Gemma `name:"model"`
	Output peft.Linear `name:"lm_head"`
}

// Forward is logits [rows×vocabulary].
func (m *GemmaForCausalLM) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Output.Apply(p, m.Gemma.Forward(p, b))
}

// Loss is that of the next tokens, for some rows of logits at a time.
func (m *GemmaForCausalLM) Loss(p *peft.Pass, b *Batch) (*tensor.Tensor, error) {
	return headLoss(p, b, m.Gemma.Forward, &m.Output)
}

// Task is causal language modelling.
func (m *GemmaForCausalLM) Task() Task { return CausalLM }

// GemmaForSequenceClassification is a linear map on the last token of each sequence that is not padding.
type GemmaForSequenceClassification struct {
	*Gemma `name:"model"`
	Score  peft.Linear `name:"score"`
}

// Forward is logits [sequences×labels].
func (m *GemmaForSequenceClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Score.Apply(p, lasts(m.Gemma.Forward(p, b), b, m.config.PadID))
}

// Task is sequence classification.
func (m *GemmaForSequenceClassification) Task() Task { return SequenceClassification }
