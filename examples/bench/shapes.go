package main

import (
	"fmt"
	"slices"
	"strings"

	"peft/models"
)

// A shape is a published model without its weights.
type shape struct {
	config  string // config.json
	task    models.Task
	targets string // of LoRA
}

// shapes are the models that there are.
var shapes = map[string]shape{
	"minilm-l6": {bert(384, 6, 12, 1536), models.SequenceClassification, "query,value"},
	"bert-base": {bert(768, 12, 12, 3072), models.SequenceClassification, "query,value"},
}

func bert(hidden, layers, heads, inner int) string {
	return fmt.Sprintf(`{"model_type":"bert","architectures":["BertForSequenceClassification"],"hidden_size":%d,"num_hidden_layers":%d,"num_attention_heads":%d,"intermediate_size":%d,
		"vocab_size":30522,"max_position_embeddings":512,"type_vocab_size":2,"hidden_dropout_prob":0.1,"attention_probs_dropout_prob":0.1,"num_labels":2}`, hidden, layers, heads, inner)
}

// find is the shape of a name.
func find(name string) (shape, error) {
	s, ok := shapes[name]
	if !ok {
		var names []string
		for n := range shapes {
			names = append(names, n)
		}
		slices.Sort(names)
		return s, fmt.Errorf("bench: -shape is %q, expected one of %s", name, strings.Join(names, ", "))
	}
	return s, nil
}
