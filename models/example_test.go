package models_test

import (
	"fmt"

	"peft/lora"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// small is the config.json of a very small BERT.
const small = `{"model_type":"bert","architectures":["BertForSequenceClassification"],"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,"intermediate_size":16,
	"vocab_size":20,"max_position_embeddings":16,"num_labels":3}`

// A model with random weights, adapted by LoRA, computes a batch of two sequences of different lengths. Open does the same for a folder with real weights.
func ExampleNew() {
	m, err := models.New([]byte(small), models.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	dev := tensor.CPU(1)
	patch, err := peft.Attach(dev, m.Unwrap(), lora.Config{Rank: 2}, 1) // on query and value, as is usual for BERT
	if err != nil {
		fmt.Println(err)
		return
	}
	batch, err := models.Pack(m.Unwrap(), models.Sequence{IDs: []int32{2, 7, 9, 3}}, models.Sequence{IDs: []int32{2, 5, 3}})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := peft.With(dev, patch)
	defer p.Close()
	fmt.Println(m.Forward(p, batch).Shape(), patch.Trainable())
	// Output: [2 3] 128
}

// A model without weights is only counted, however large it is.
func ExampleBlank() {
	m, err := models.Blank([]byte(small), models.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sites, err := peft.FindSites(tensor.Shapes(), m.Unwrap())
	fmt.Println(sites.Count(), err)
	// Output: 1619 <nil>
}
