package models

import (
	"peft/peft"
	"peft/tensor"
)

// DistilBert is DistilBERT without a head (Sanh et al. 2019, arXiv:1910.01108): BERT without types of tokens and without a pooler.
type DistilBert struct {
	base
	Embeddings DistilBertEmbeddings `name:"embeddings"`
	Layer      []*DistilBertLayer   `name:"transformer.layer"`
	Last       peft.Hidden          `name:"transformer"`
}

// DistilBertEmbeddings is norm(word + position).
type DistilBertEmbeddings struct {
	Word     peft.Embedding `name:"word_embeddings"`
	Input    peft.Sequence  `name:"input"`
	Position peft.Embedding `name:"position_embeddings"`
	Norm     peft.Norm      `name:"LayerNorm"`
	Out      peft.Hidden    `name:"dropout"`
}

// DistilBertLayer is one block: self-attention and a feed-forward network, each a residual branch with a norm after the sum.
type DistilBertLayer struct {
	Query    peft.Linear    `name:"attention.q_lin"`
	Key      peft.Linear    `name:"attention.k_lin"`
	Value    peft.Linear    `name:"attention.v_lin"`
	Self     peft.Attention `name:"attention"`
	Output   peft.Linear    `name:"attention.out_lin"`
	Attended peft.Sublayer  `name:"attention.residual"`
	Norm     peft.Norm      `name:"sa_layer_norm"`
	Up       peft.Linear    `name:"ffn.lin1"`
	Down     peft.Linear    `name:"ffn.lin2"`
	Fed      peft.Sublayer  `name:"ffn"`
	LastNorm peft.Norm      `name:"output_layer_norm"`
	Out      peft.Hidden    `name:""`
	act      tensor.Func
	dropout  float64
}

func newDistilBert(c *Config) *DistilBert {
	m := &DistilBert{base: base{c}, Last: peft.Hidden{Size: c.Hidden}, Embeddings: DistilBertEmbeddings{
		Word: peft.NewEmbedding(c.Vocabulary, c.Hidden), Input: peft.Sequence{Size: c.Hidden}, Position: peft.NewEmbedding(c.Positions, c.Hidden),
		Norm: peft.NewNorm(c.Hidden, c.Eps, false), Out: peft.Hidden{Size: c.Hidden},
	}}
	for range c.Layers {
		m.Layer = append(m.Layer, newDistilBertLayer(c))
	}
	return m
}

func newDistilBertLayer(c *Config) *DistilBertLayer {
	d := c.Hidden
	l := &DistilBertLayer{
		Query: peft.NewLinear(d, d, true, peft.Query), Key: peft.NewLinear(d, d, true, peft.Key), Value: peft.NewLinear(d, d, true, peft.Value),
		Self:   peft.Attention{Heads: c.Heads, KVHeads: c.Heads, HeadSize: d / c.Heads, Dropout: c.AttnDropout},
		Output: peft.NewLinear(d, d, true, peft.Output), Attended: peft.Sublayer{Role: peft.SelfBlock, Size: d}, Norm: peft.NewNorm(d, c.Eps, false),
		Up: peft.NewLinear(d, c.Intermediate, true, peft.Up), Down: peft.NewLinear(c.Intermediate, d, true, peft.Down),
		Fed: peft.Sublayer{Role: peft.FFN, Size: d}, LastNorm: peft.NewNorm(d, c.Eps, false), Out: peft.Hidden{Size: d},
		act: activations[c.Act], dropout: c.Dropout,
	}
	l.Attended.Norm, l.Fed.Norm = &l.Norm, &l.LastNorm
	return l
}

// Forward is the last hidden state [rows×size].
func (m *DistilBert) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := peft.Chain(p, m.Embeddings.forward(p, b, m.config.Dropout), m.Layer, (*DistilBertLayer).Forward)
	return m.Last.Apply(p, x)
}

// first is the last hidden state of each sequence's first row [sequences×size].
func (m *DistilBert) first(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Embeddings.forward(p, b, m.config.Dropout)
	return firsts(m.Last.Apply(p, chainToFirsts(p, x, m.Layer, (*DistilBertLayer).part)))
}

// forward is the sum of the two embeddings, normed.
func (e *DistilBertEmbeddings) forward(p *peft.Pass, b *Batch, dropout float64) *tensor.Tensor {
	x := e.Input.Apply(p, e.Word.Apply(p, b.IDs, b.Layout))
	x = e.Norm.Apply(p, tensor.Add(x, e.Position.Apply(p, x.Layout().Pos, x.Layout())))
	return e.Out.Apply(p, p.Dropout(x, dropout, e.Norm.Name()))
}

// Forward is the block's output for its input x.
func (l *DistilBertLayer) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return l.part(p, x, x)
}

// part is the block's output for y, which is its input x or some rows of it.
func (l *DistilBertLayer) part(p *peft.Pass, y, x *tensor.Tensor) *tensor.Tensor {
	q, k, v := l.Query.Apply(p, y), l.Key.Apply(p, x), l.Value.Apply(p, x)
	h := l.Output.Apply(p, l.Self.Apply(p, x, q, k, v, tensor.Attention{}))
	y = l.Attended.Apply(p, y, y, h)
	h = l.Down.Apply(p, l.Up.Activated(p, y, l.act))
	y = l.Fed.Apply(p, y, y, p.Dropout(h, l.dropout, l.Down.Name()))
	return l.Out.Apply(p, y)
}

// DistilBertForSequenceClassification is two linear maps on the first row, a ReLU between them.
type DistilBertForSequenceClassification struct {
	*DistilBert `name:"distilbert"`
	Dense       peft.Linear `name:"pre_classifier"`
	Classifier  peft.Linear `name:"classifier"`
}

// Forward is logits [sequences×labels].
func (m *DistilBertForSequenceClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Dense.Activated(p, m.first(p, b), tensor.ReLU)
	return m.Classifier.Apply(p, p.Dropout(x, m.config.headDropout(), "classifier"))
}

// Task is sequence classification.
func (m *DistilBertForSequenceClassification) Task() Task { return SequenceClassification }

// DistilBertForTokenClassification is a linear map on each row.
type DistilBertForTokenClassification struct {
	*DistilBert `name:"distilbert"`
	Classifier  peft.Linear `name:"classifier"`
}

// Forward is logits [rows×labels].
func (m *DistilBertForTokenClassification) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	return m.Classifier.Apply(p, p.Dropout(m.DistilBert.Forward(p, b), m.config.Dropout, "classifier"))
}

// Task is token classification.
func (m *DistilBertForTokenClassification) Task() Task { return TokenClassification }
