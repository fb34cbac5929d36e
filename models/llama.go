package models

import (
	"math"

	"peft/peft"
	"peft/tensor"
)

// Llama is Llama without a head (Touvron et al. 2023, arXiv:2302.13971): a pre-norm decoder with rotary positions. Mistral, Qwen2 and Qwen3 differ in windows, biases and norms of heads.
type Llama struct {
	base
	Word     peft.Embedding `name:"embed_tokens"`
	Input    peft.Sequence  `name:"input"`
	Embedded peft.Hidden    `name:"embedded"`
	Layer    []*LlamaLayer  `name:"layers"`
	Last     peft.Hidden    `name:"layers"`
	Norm     peft.Norm      `name:"norm"`
}

// LlamaLayer is one block: self-attention and a gated feed-forward network, each a residual branch with a norm at its start.
type LlamaLayer struct {
	Norm      peft.Norm      `name:"input_layernorm"`
	Attention LlamaAttention `name:"self_attn"`
	Attended  peft.Sublayer  `name:"self_attn.residual"`
	FeedNorm  peft.Norm      `name:"post_attention_layernorm"`
	Feed      LlamaFeed      `name:"mlp"`
	Fed       peft.Sublayer  `name:"mlp"`
	Out       peft.Hidden    `name:""`
}

// LlamaAttention is self-attention in which several heads of queries share one of keys and values (Ainslie et al. 2023, arXiv:2305.13245).
type LlamaAttention struct {
	Query     peft.Linear    `name:"q_proj"`
	Key       peft.Linear    `name:"k_proj"`
	Value     peft.Linear    `name:"v_proj"`
	QueryNorm *peft.Norm     `name:"q_norm"` // of each head; nil in most families
	KeyNorm   *peft.Norm     `name:"k_norm"`
	Self      peft.Attention `name:""`
	Output    peft.Linear    `name:"o_proj"`
	rotary    tensor.Rotary
	spec      tensor.Attention
}

// LlamaFeed is down(act(gate(x))∘up(x)) (Shazeer 2020, arXiv:2002.05202).
type LlamaFeed struct {
	Gate peft.Linear `name:"gate_proj"`
	Up   peft.Linear `name:"up_proj"`
	Down peft.Linear `name:"down_proj"`
	act  tensor.Func
}

func newLlama(c *Config) *Llama {
	m := &Llama{
		base: base{c}, Word: peft.NewEmbedding(c.Vocabulary, c.Hidden), Input: peft.Sequence{Size: c.Hidden}, Embedded: peft.Hidden{Size: c.Hidden},
		Last: peft.Hidden{Size: c.Hidden}, Norm: c.rmsNorm(c.Hidden),
	}
	for _, i := range c.layers() {
		l := &LlamaLayer{
			Norm: c.rmsNorm(c.Hidden), Attended: peft.Sublayer{Role: peft.SelfBlock, Size: c.Hidden},
			FeedNorm: c.rmsNorm(c.Hidden), Fed: peft.Sublayer{Role: peft.FFN, Size: c.Hidden}, Out: peft.Hidden{Size: c.Hidden},
		}
		l.Attention.init(c, i)
		l.Feed.init(c)
		m.Layer = append(m.Layer, l)
	}
	return m
}

// init gives the attention of a layer its sizes.
func (a *LlamaAttention) init(c *Config, layer int) {
	q, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	bias, outBias := c.AttentionBias || c.ModelType == "qwen2", c.AttentionBias && c.ModelType != "qwen2"
	linear(&a.Query, c.Hidden, q, bias, peft.Query)
	linear(&a.Key, c.Hidden, kv, bias, peft.Key)
	linear(&a.Value, c.Hidden, kv, bias, peft.Value)
	linear(&a.Output, q, c.Hidden, outBias, peft.Output)
	if c.headNorms() {
		q, k := c.rmsNorm(c.HeadSize), c.rmsNorm(c.HeadSize)
		a.QueryNorm, a.KeyNorm = &q, &k
	}
	a.Self.Heads, a.Self.KVHeads, a.Self.HeadSize, a.Self.Dropout, a.Self.Causal = c.Heads, c.KVHeads, c.HeadSize, c.AttnDropout, true
	a.rotary = c.rotaries[c.layerType(layer)]
	a.spec.Mask, a.spec.Softcap = tensor.Mask{Causal: true, Window: c.window(layer)}, c.Softcap
	if c.QueryScalar > 0 {
		a.spec.Scale = 1 / math.Sqrt(c.QueryScalar)
	}
}

// linear gives a linear map its sizes. The map itself stays where it is.
func linear(l *peft.Linear, in, out int, bias bool, role peft.Role) {
	l.In, l.Out, l.Role = in, out, role
	l.W, l.B = &peft.Frozen{Shape: []int{out, in}}, &peft.Frozen{Shape: []int{out}, Absent: !bias}
}

func (f *LlamaFeed) init(c *Config) {
	linear(&f.Gate, c.Hidden, c.Intermediate, c.FeedBias, peft.Gate)
	linear(&f.Up, c.Hidden, c.Intermediate, c.FeedBias, peft.Up)
	linear(&f.Down, c.Intermediate, c.Hidden, c.FeedBias, peft.Down)
	f.act = activations[c.Act]
}

// Forward is the last hidden state [rows×size].
func (m *Llama) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Embedded.Apply(p, m.Input.Apply(p, m.Word.Apply(p, b.IDs, b.Layout)))
	x = peft.Chain(p, x, m.Layer, (*LlamaLayer).Forward)
	return m.Norm.Apply(p, m.Last.Apply(p, x))
}

// Forward is the block's output for its input x.
func (l *LlamaLayer) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	h := l.Norm.Apply(p, x)
	x = l.Attended.Apply(p, x, h, l.Attention.Forward(p, h))
	h = l.FeedNorm.Apply(p, x)
	return l.Out.Apply(p, l.Fed.Apply(p, x, h, l.Feed.Forward(p, h)))
}

// Forward is the attention's output for its input x.
func (a *LlamaAttention) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	q, k, v := a.Query.Apply(p, x), a.Key.Apply(p, x), a.Value.Apply(p, x)
	q = tensor.Rotate(normHeads(p, a.QueryNorm, q), a.Self.Heads, a.rotary)
	k = tensor.Rotate(normHeads(p, a.KeyNorm, k), a.Self.KVHeads, a.rotary)
	return a.Output.Apply(p, a.Self.Apply(p, x, q, k, v, a.spec))
}

// normHeads normalises each head of x, where there is a norm.
func normHeads(p *peft.Pass, n *peft.Norm, x *tensor.Tensor) *tensor.Tensor {
	if n == nil {
		return x
	}
	heads := x.Cols() / n.Size
	rows := tensor.Reshape(x, x.Rows()*heads, n.Size).WithLayout(x.Layout().Repeat(heads))
	return tensor.Reshape(n.Apply(p, rows), x.Rows(), x.Cols()).WithLayout(x.Layout())
}

// Forward is the network's output for its input x.
func (f *LlamaFeed) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return f.Down.Apply(p, tensor.Gated(f.act, f.Gate.Apply(p, x), f.Up.Apply(p, x)))
}

// LlamaForCausalLM predicts the next token.
type LlamaForCausalLM struct {
	*Llama `name:"model"`
	Output peft.Linear `name:"lm_head"`
}

// Forward is logits [rows×vocabulary].
func (m *LlamaForCausalLM) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Output.Apply(p, m.Llama.Forward(p, b))
}

// Loss is that of the next tokens, for some rows of logits at a time.
func (m *LlamaForCausalLM) Loss(p *peft.Pass, b *Batch) (*tensor.Tensor, error) {
	return headLoss(p, b, m.Llama.Forward, &m.Output)
}

// Task is causal language modelling.
func (m *LlamaForCausalLM) Task() Task { return CausalLM }

// LlamaForSequenceClassification is a linear map on the last token of each sequence that is not padding.
type LlamaForSequenceClassification struct {
	*Llama `name:"model"`
	Score  peft.Linear `name:"score"`
}

// Forward is logits [sequences×labels].
func (m *LlamaForSequenceClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Score.Apply(p, lasts(m.Llama.Forward(p, b), b, m.config.PadID))
}

// Task is sequence classification.
func (m *LlamaForSequenceClassification) Task() Task { return SequenceClassification }
