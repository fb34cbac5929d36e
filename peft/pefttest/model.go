package pefttest

import (
	"math/rand/v2"

	"peft/peft"
	"peft/tensor"
)

// The sizes of a [Model]; all differ, so that no two can be confused.
const (
	Words, Positions  = 13, 11
	Size, Inner       = 12, 20
	Heads, HeadSize   = 3, 4
	Layers, Classes   = 2, 5
	dropout, learning = 0.2, 0.1
)

// A Model is a small post-norm encoder with a classifier on the mean of its rows. It has a site of every kind, and random weights.
type Model struct {
	Words      peft.Embedding
	Input      peft.Sequence
	Places     peft.Embedding
	Embedded   peft.Hidden
	Layers     []*Layer
	Last       peft.Hidden
	Classifier peft.Linear `name:"classifier"`
}

// Layer is one block of a [Model].
type Layer struct {
	Query, Key, Value, Output peft.Linear
	Up, Down                  peft.Linear
	Self                      peft.Attention
	Attended, Fed             peft.Sublayer
	Norm1, Norm2              peft.Norm
	Out                       peft.Hidden
}

// NewModel is a model whose weights are drawn from the seed.
func NewModel(seed uint64) *Model {
	m := &Model{
		Words: peft.NewEmbedding(Words, Size), Places: peft.NewEmbedding(Positions, Size), Embedded: peft.Hidden{Size: Size}, Input: peft.Sequence{Size: Size},
		Last: peft.Hidden{Size: Size}, Classifier: peft.NewLinear(Size, Classes, true, peft.Head),
	}
	m.Classifier.IsHead = true
	for range Layers {
		m.Layers = append(m.Layers, newLayer())
	}
	fill(m, rand.New(rand.NewPCG(seed, 0)))
	return m
}

func newLayer() *Layer {
	l := &Layer{
		Query: peft.NewLinear(Size, Size, true, peft.Query), Key: peft.NewLinear(Size, Size, true, peft.Key), Value: peft.NewLinear(Size, Size, true, peft.Value),
		Output: peft.NewLinear(Size, Size, true, peft.Output), Up: peft.NewLinear(Size, Inner, true, peft.Up), Down: peft.NewLinear(Inner, Size, true, peft.Down),
		Self:     peft.Attention{Heads: Heads, KVHeads: Heads, HeadSize: HeadSize, Dropout: dropout},
		Attended: peft.Sublayer{Role: peft.SelfBlock, Size: Size}, Fed: peft.Sublayer{Role: peft.FFN, Size: Size},
		Norm1: peft.NewNorm(Size, 1e-5, false), Norm2: peft.NewNorm(Size, 1e-5, false), Out: peft.Hidden{Size: Size},
	}
	l.Attended.Norm, l.Fed.Norm = &l.Norm1, &l.Norm2
	return l
}

// fill draws every weight.
func fill(m *Model, rng *rand.Rand) {
	sites, err := peft.FindSites(nil, m)
	if err != nil {
		panic(err) // the model above is as it must be
	}
	for f := range sites.Params() {
		v := make([]float32, f.Len())
		for i := range v {
			v[i] = float32(0.4 * rng.NormFloat64())
		}
		f.W = tensor.WeightOf(v, len(v)/f.Shape[len(f.Shape)-1], f.Shape[len(f.Shape)-1])
	}
}

// ModelType is a family for which methods know the usual places.
func (*Model) ModelType() string { return "bert" }

// A batch is a few sequences of words, and the class of each.
type batch struct {
	words  []int32
	layout *tensor.Layout
	labels []int32
}

// sequences are those of the tests, of different lengths.
var sequences = [][]int32{{3, 1, 4, 1, 5, 9, 2}, {6, 5, 3, 5}, {8, 9, 7, 9, 3}}

// batchOf packs some of the sequences.
func batchOf(numbers ...int) batch {
	b, lengths := batch{}, []int{}
	for _, n := range numbers {
		b.words = append(b.words, sequences[n]...)
		lengths = append(lengths, len(sequences[n]))
		b.labels = append(b.labels, int32(n+1))
	}
	b.layout = tensor.NewLayout(lengths...)
	b.layout.IDs = b.words
	return b
}

// Forward is the logits of a batch.
func (m *Model) Forward(p *peft.Pass, b batch) *tensor.Tensor {
	x := m.Input.Apply(p, m.Words.Apply(p, b.words, b.layout))
	x = m.Embedded.Apply(p, tensor.Add(x, m.Places.Apply(p, x.Layout().Pos, x.Layout())))
	x = peft.Chain(p, x, m.Layers, (*Layer).forward)
	return m.Classifier.Apply(p, tensor.MeanRows(m.Last.Apply(p, x)))
}

func (l *Layer) forward(p *peft.Pass, x *tensor.Tensor) *tensor.Tensor {
	h := l.Self.Apply(p, x, l.Query.Apply(p, x), l.Key.Apply(p, x), l.Value.Apply(p, x), tensor.Attention{})
	x = l.Attended.Apply(p, x, x, p.Dropout(l.Output.Apply(p, h), dropout, l.Output.Name()))
	h = l.Down.Apply(p, l.Up.Activated(p, x, tensor.GELU))
	return l.Out.Apply(p, l.Fed.Apply(p, x, x, p.Dropout(h, dropout, l.Down.Name())))
}

// loss is the mean cross-entropy of a batch.
func (m *Model) loss(p *peft.Pass, b batch) *tensor.Tensor {
	return tensor.CrossEntropy(m.Forward(p, b), b.labels)
}
