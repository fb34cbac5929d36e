package peft_test

import (
	"fmt"

	"peft/lora"
	"peft/peft"
	"peft/peft/pefttest"
	"peft/prefix"
	"peft/tensor"
)

// LoRA whose updates a gate scales for each sequence, and a prefix, as one method.
func ExampleGated() {
	m := peft.Combine(prefix.Hub{Tokens: 4, Flat: true}, peft.Gated(lora.Config{Rank: 2, On: peft.Named("*.Query")}))
	model := pefttest.NewModel(1)
	q, err := peft.Attach(tensor.CPU(1), model, m, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(q.Param("Layers.0.Query/gate.weight").Tensor().Shape())
	_, err = peft.Merge(tensor.CPU(1), model, q)
	fmt.Println(err)
	// Output:
	// [1 12]
	// peft: merge: Layers.0.Query: an update with a gate, which differs from sequence to sequence, cannot be folded into weights
}

// Four experts of everything that LoRA trains: each pass of training draws one of each pool, evaluation takes their mean.
func ExampleMixture() {
	q, err := peft.Attach(tensor.CPU(1), pefttest.NewModel(1), peft.Mixture{Of: lora.Config{Rank: 2, On: peft.Named("*.Query")}, Experts: 4}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := peft.With(tensor.CPU(1), q)
	defer p.Close()
	p.Train, p.Seed = true, 3
	for x := range q.Params() {
		fmt.Println(x.Name, "expert", x.Draw(p), "of", len(x.Pool))
	}
	// Output:
	// Layers.0.Query/lora_A expert 2 of 4
	// Layers.0.Query/lora_B expert 0 of 4
	// Layers.1.Query/lora_A expert 1 of 4
	// Layers.1.Query/lora_B expert 2 of 4
}

// Two trained patches, each for some sequences of a batch.
func ExampleBatchSplit() {
	model, dev := pefttest.NewModel(1), tensor.CPU(1)
	var trained []*peft.Patch
	for i, name := range []string{"first", "second"} {
		q, err := peft.Attach(dev, model, lora.Hub{Name: name, Rank: 2}, uint64(i))
		if err != nil {
			fmt.Println(err)
			return
		}
		trained = append(trained, q)
	}
	q, err := peft.BatchSplit([]int{1, 3}, trained...)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(q.Batch(), "sequences a batch,", q.Trainable(), "numbers")
	// Output: 4 sequences a batch, 384 numbers
}
