// Command ownmodel adapts a model that the library has never heard of, by four methods at once. The model is a struct with sites in it, through which it computes: a small encoder, whose weights
// are random and stay so. It learns to tell whether most words of a text are odd.
//
//	go run ./examples/ownmodel
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"peft/adapter"
	"peft/bitfit"
	"peft/lora"
	"peft/peft"
	"peft/prefix"
	"peft/tensor"
	"peft/train"
)

const words, size, heads = 20, 16, 4

// Reader is one block of self-attention and a classifier of the mean.
type Reader struct {
	Words                   peft.Embedding
	Input                   peft.Sequence
	Query, Key, Value, Back peft.Linear
	Self                    peft.Attention
	Attended                peft.Sublayer
	Norm                    peft.Norm
	Class                   peft.Linear `name:"classifier"`
}

// Forward is the logits of texts [texts×2].
func (m *Reader) Forward(p *peft.Pass, text []int32, l *tensor.Layout) *tensor.Tensor {
	x := m.Input.Apply(p, m.Words.Apply(p, text, l))
	h := m.Self.Apply(p, x, m.Query.Apply(p, x), m.Key.Apply(p, x), m.Value.Apply(p, x), tensor.Attention{})
	return m.Class.Apply(p, tensor.MeanRows(m.Attended.Apply(p, x, x, m.Back.Apply(p, h))))
}

func newReader(rng *rand.Rand) (*Reader, error) {
	linear := func(out int, r peft.Role) peft.Linear { return peft.NewLinear(size, out, true, r) }
	m := &Reader{
		Words: peft.NewEmbedding(words, size), Input: peft.Sequence{Size: size}, Self: peft.Attention{Heads: heads, KVHeads: heads, HeadSize: size / heads},
		Query: linear(size, peft.Query), Key: linear(size, peft.Key), Value: linear(size, peft.Value), Back: linear(size, peft.Output),
		Attended: peft.Sublayer{Role: peft.SelfBlock, Size: size}, Norm: peft.NewNorm(size, 1e-5, false), Class: linear(2, peft.Head),
	}
	m.Attended.Norm, m.Class.IsHead = &m.Norm, true
	sites, err := peft.FindSites(nil, m)
	if err != nil {
		return nil, err
	}
	for f := range sites.Params() {
		v := make([]float32, f.Len())
		for i := range v {
			v[i] = float32(0.3 * rng.NormFloat64())
		}
		cols := f.Shape[len(f.Shape)-1]
		f.W = tensor.WeightOf(v, len(v)/cols, cols)
	}
	return m, nil
}

// texts draws n texts of 3 to 9 words, and whether most of each are odd.
func texts(rng *rand.Rand, n int) (text []int32, l *tensor.Layout, odd []int32) {
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = 3 + 2*rng.IntN(4)
		ones := 0
		for range lengths[i] {
			word := rng.Int32N(words)
			text, ones = append(text, word), ones+int(word%2)
		}
		odd = append(odd, int32(min(1, 2*ones/(lengths[i]+1)))) // lengths are odd, so there is no draw
	}
	return text, tensor.NewLayout(lengths...), odd
}

func main() {
	rng := rand.New(rand.NewPCG(1, 2))
	model, err := newReader(rng)
	if err != nil {
		log.Fatal(err)
	}
	dev := tensor.CPU(0)
	patch, err := peft.Attach(dev, model, peft.Combine(
		lora.Config{Rank: 2, Alpha: 4, On: peft.Named("Query", "Value")},
		adapter.Config{Reduction: 4, At: []peft.Role{peft.SelfBlock}},
		prefix.Config{Tokens: 2},
		bitfit.Config{Head: true},
	), 1)
	if err != nil {
		log.Fatal(err)
	}
	loss := func(p *peft.Pass, rows []int) (train.Loss, error) {
		text, l, odd := texts(rng, len(rows))
		return train.Loss{Value: tensor.CrossEntropy(model.Forward(p, text, l), odd), Targets: len(odd), Tokens: len(text)}, nil
	}
	if _, err := train.Run(context.Background(), train.Job{Patch: patch, Examples: 32, Loss: loss}, train.Config{Steps: 300, Batch: 32, LR: 0.01}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(patch.Summary())
	fmt.Printf("accuracy on new texts: %.1f, without the patch %.1f\n", accuracy(dev, model, patch), accuracy(dev, model))
}

// accuracy is the share of a thousand new texts that the model tells right, through some patches.
func accuracy(dev *tensor.Device, model *Reader, patches ...*peft.Patch) float64 {
	p := peft.With(dev, patches...).NoGrad()
	defer p.Close()
	text, l, odd := texts(rand.New(rand.NewPCG(3, 4)), 1000)
	logits, right := model.Forward(p, text, l).Float64s(), 0
	for i, y := range odd {
		if logits[2*i+int(y)] > logits[2*i+1-int(y)] {
			right++
		}
	}
	return float64(right) / 1000
}
