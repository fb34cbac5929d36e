package prefix_test

import (
	"fmt"
	"log"

	"peft/peft"
	"peft/prefix"
	"peft/tensor"
)

// A Reader is a program's own model: one attention over the sum of words and places.
type Reader struct {
	Words, Places     peft.Embedding
	Query, Key, Value peft.Linear
	Input             peft.Sequence
	Self              peft.Attention
}

// Read is the attention's context for words, which are laid out as sequences.
func (m *Reader) Read(p *peft.Pass, l *tensor.Layout, words ...int32) *tensor.Tensor {
	x := m.Input.Apply(p, m.Words.Apply(p, words, l))
	x = tensor.Add(x, m.Places.Apply(p, x.Layout().Pos, x.Layout()))
	return m.Self.Apply(p, x, m.Query.Apply(p, x), m.Key.Apply(p, x), m.Value.Apply(p, x), tensor.Attention{})
}

func newReader() *Reader {
	m := &Reader{
		Words: peft.NewEmbedding(5, 2), Places: peft.NewEmbedding(4, 2), Input: peft.Sequence{Size: 2}, Self: peft.Attention{Heads: 1, KVHeads: 1, HeadSize: 2},
		Query: peft.LinearOf([]float32{1, 0, 0, 1}, nil, 2), Key: peft.LinearOf([]float32{1, 0, 0, 1}, nil, 2), Value: peft.LinearOf([]float32{1, 0, 0, 1}, nil, 2),
	}
	m.Query.Role, m.Key.Role, m.Value.Role = peft.Query, peft.Key, peft.Value
	m.Words.W.W = tensor.WeightOf([]float32{1, 0, 0, 1, 1, 1, 0, 0, 0, 0}, 5, 2)
	m.Places.W.W = tensor.WeightOf(make([]float32, 8), 4, 2)
	return m
}

// One row of keys and values, zeros here, stands before each sequence and takes its share of the attention.
func ExampleConfig() {
	dev, model := tensor.Reference(), newReader()
	patch, err := peft.Attach(dev, model, prefix.Config{Tokens: 1, Zero: true}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(patch.Summary())

	p := peft.With(dev, patch)
	defer p.Close()
	fmt.Printf("%.3f\n", model.Read(p, tensor.NewLayout(1), 2).Float64s())
	// Output:
	//          4  [1 4]          prefix/prompt_embeddings
	// trained 4 of 34 (11.7647 %)
	// [0.804 0.804]
}

// A row with a softmax of its own comes in through a gate, which is closed at first.
func ExampleAdaption() {
	dev, model := tensor.Reference(), newReader()
	patch, err := peft.Attach(dev, model, prefix.Adaption{Tokens: 1, Layers: 1}, 1)
	if err != nil {
		log.Fatal(err)
	}
	patch.Param("Self/adaption_prompt").Tensor().Assign([]float64{10, 20})
	patch.Param("Self/adaption_gate").Tensor().Assign([]float64{0.5})
	p := peft.With(dev, patch)
	defer p.Close()
	fmt.Println(model.Read(p, tensor.NewLayout(1), 2).Float64s())
	// Output:
	// [6 11]
}

// A solved example stands before the input: the word 0 is the question, 1 its answer. The question's embedding may move, the answer's may not.
func ExampleContext() {
	dev, model := tensor.Reference(), newReader()
	patch, err := peft.Attach(dev, model, prefix.Context{IDs: []int32{0, 1}, Types: []int{2, 4}, Input: 0.1}, 1)
	if err != nil {
		log.Fatal(err)
	}
	patch.Param("prompt/delta").Tensor().Assign([]float64{7, 7, 7, 7})
	final, err := peft.Collapse(patch)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(final.Param("prompt/prompt_embeddings").Tensor().Float64s())
	// Output:
	// [8 7 0 1]
}

// Virtual tokens that start as the words 0 and 1 stand in the sequence itself, and are in what comes out.
func ExamplePrompt() {
	dev, model := tensor.Reference(), newReader()
	patch, err := peft.Attach(dev, model, prefix.Prompt{Tokens: 2, Init: prefix.FromText, IDs: []int32{0, 1}}, 1)
	if err != nil {
		log.Fatal(err)
	}
	p := peft.With(dev, patch)
	defer p.Close()
	y := model.Read(p, tensor.NewLayout(1), 2)
	for i := range y.Rows() {
		fmt.Println(y.Layout().Pos[i], y.Layout().IsVirtual(i))
	}
	// Output:
	// 0 true
	// 1 true
	// 2 false
}
