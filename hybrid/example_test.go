package hybrid_test

import (
	"fmt"

	"peft/adapter"
	"peft/hybrid"
	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

// A prefix for attention and an adapter beside each feed-forward network, as one method.
func ExampleMAM() {
	c := hybrid.MAM{Prefix: prefix.Hub{Tokens: 4, Flat: true}, Adapter: adapter.Config{Reduction: 4}}
	q, err := peft.Attach(tensor.CPU(1), pefttest.NewModel(1), c, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(q.Trainable(), "of", q.Sites().Count())
	// Output: 366 of 2721
}

// The paper's variant AP: a prefix and adapters, with gates.
func ExampleUniPELT() {
	q, err := peft.Attach(tensor.CPU(1), pefttest.NewModel(1), hybrid.UniPELT{Prefix: prefix.Hub{Flat: true}, NoLoRA: true}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	gate := q.Param("Layers.0.Self/prefix_gates.weight")
	fmt.Println(gate.Tensor().Shape())
	// Output: [1 12]
}

// Four experts of LoRA's A share one B. Saving the patch, or collapsing it, leaves ordinary LoRA.
func ExampleAdaMix() {
	c := hybrid.AdaMix{Of: lora.Config{Rank: 2, On: peft.Named("*.Query")}}
	q, err := peft.Attach(tensor.CPU(1), pefttest.NewModel(1), c, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	one, err := peft.Collapse(q)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d numbers, then %d: %T\n", q.Trainable(), one.Trainable(), one.Method())
	// Output: 240 numbers, then 96: lora.Config
}
