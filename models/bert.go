package models

import (
	"peft/peft"
	"peft/tensor"
)

// Bert is BERT without a head (Devlin et al. 2019, arXiv:1810.04805), and RoBERTa, which differs in its position numbers: a post-norm encoder.
type Bert struct {
	base
	Embeddings BertEmbeddings `name:"embeddings"`
	Layer      []*BertLayer   `name:"encoder.layer"`
	Last       peft.Hidden    `name:"encoder"`
	Pool       *peft.Linear   `name:"pooler.dense"` // nil where the model has none
}

// BertEmbeddings is norm(word + type + position). Rows that a method puts in at Input get position and type 0 like words.
type BertEmbeddings struct {
	Word     peft.Embedding `name:"word_embeddings"`
	Input    peft.Sequence  `name:"input"`
	Position peft.Embedding `name:"position_embeddings"`
	Type     peft.Embedding `name:"token_type_embeddings"`
	Norm     peft.Norm      `name:"LayerNorm"`
	Out      peft.Hidden    `name:"output"`
}

// BertLayer is one block: self-attention and a feed-forward network, each a residual branch with a norm after the sum.
type BertLayer struct {
	Query    peft.Linear    `name:"attention.self.query"`
	Key      peft.Linear    `name:"attention.self.key"`
	Value    peft.Linear    `name:"attention.self.value"`
	Self     peft.Attention `name:"attention.self"`
	Output   peft.Linear    `name:"attention.output.dense"`
	Attended peft.Sublayer  `name:"attention.output"`
	Norm     peft.Norm      `name:"attention.output.LayerNorm"`
	Up       peft.Linear    `name:"intermediate.dense"`
	Down     peft.Linear    `name:"output.dense"`
	Fed      peft.Sublayer  `name:"output"`
	LastNorm peft.Norm      `name:"output.LayerNorm"`
	Out      peft.Hidden    `name:""`
	act      tensor.Func
	dropout  float64
}

func newBert(c *Config, pooler bool) *Bert {
	m := &Bert{base: base{c}, Last: peft.Hidden{Size: c.Hidden}, Embeddings: BertEmbeddings{
		Word: peft.NewEmbedding(c.Vocabulary, c.Hidden), Position: peft.NewEmbedding(c.Positions, c.Hidden), Type: peft.NewEmbedding(c.Types, c.Hidden),
		Norm: peft.NewNorm(c.Hidden, c.Eps, false), Out: peft.Hidden{Size: c.Hidden},
		Input: peft.Sequence{Size: c.Hidden, First: c.firstPosition()},
	}}
	for range c.layers() {
		m.Layer = append(m.Layer, newBertLayer(c))
	}
	if pooler {
		m.Pool = &peft.Linear{}
		*m.Pool = peft.NewLinear(c.Hidden, c.Hidden, true, peft.Pooler)
	}
	return m
}

func newBertLayer(c *Config) *BertLayer {
	d := c.Hidden
	l := &BertLayer{
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
func (m *Bert) Forward(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Embeddings.Forward(p, b, m.config.Dropout)
	x = peft.Chain(p, x, m.Layer, (*BertLayer).Forward)
	return m.Last.Apply(p, x)
}

// first is the last hidden state of each sequence's first row [sequences×size].
func (m *Bert) first(p *peft.Pass, b *Batch) *tensor.Tensor {
	x := m.Embeddings.Forward(p, b, m.config.Dropout)
	return firsts(m.Last.Apply(p, chainToFirsts(p, x, m.Layer, (*BertLayer).part)))
}

// Forward is the sum of the three embeddings, normed.
func (e *BertEmbeddings) Forward(p *peft.Pass, b *Batch, dropout float64) *tensor.Tensor {
	x := e.Input.Apply(p, e.Word.Apply(p, b.IDs, b.Layout))
	l := x.Layout()
	x = tensor.Add(x, e.Type.Apply(p, l.Spread(b.Types, 0), l))
	x = e.Norm.Apply(p, tensor.Add(x, e.Position.Apply(p, l.Pos, l)))
	return e.Out.Apply(p, p.Dropout(x, dropout, e.Norm.Name()))
}

// Forward is the block's output for its input x.
func (l *BertLayer) Forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor { return l.part(p, x, x) }

// part is the block's output for y, which is its input x or some rows of it.
func (l *BertLayer) part(p *peft.Pass, y, x *tensor.Tensor) *tensor.Tensor {
	q, k, v := l.Query.Apply(p, y), l.Key.Apply(p, x), l.Value.Apply(p, x)
	h := l.Output.Apply(p, l.Self.Apply(p, x, q, k, v, tensor.Attention{}))
	y = l.Attended.Apply(p, y, y, p.Dropout(h, l.dropout, l.Output.Name()))
	h = l.Down.Apply(p, l.Up.Activated(p, y, l.act))
	y = l.Fed.Apply(p, y, y, p.Dropout(h, l.dropout, l.Down.Name()))
	return l.Out.Apply(p, y)
}

// pooled is tanh of a linear map of each sequence's first row [sequences×size].
func (m *Bert) pooled(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	return m.Pool.Activated(p, firsts(x), tensor.Tanh)
}

// Positions counts from 0; for RoBERTa it counts the tokens that are not padding, from one after the padding's own number, which is the padding's position.
func (m *Bert) Positions(s Sequence) []int32 {
	ids := s.IDs
	if m.config.ModelType != "roberta" {
		return m.base.Positions(s)
	}
	pad := int32(m.config.PadID)
	pos, at := make([]int32, len(ids)), int32(m.config.firstPosition()-1)
	for i, id := range ids {
		pos[i] = pad
		if id != pad {
			at++
			pos[i] = at
		}
	}
	return pos
}

// firstPosition is the position of a sequence's first token.
func (c *Config) firstPosition() int {
	if c.ModelType == "roberta" {
		return c.PadID + 1
	}
	return 0
}
