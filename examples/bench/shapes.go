package main

import (
	"fmt"
	"maps"
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
	"gpt2":      {`{"model_type":"gpt2","architectures":["GPT2LMHeadModel"],"n_embd":768,"n_layer":12,"n_head":12,"n_positions":1024,"vocab_size":50257}`, models.CausalLM, "c_attn"},
	"smollm2-135m": {llama(`"hidden_size":576,"intermediate_size":1536,"num_hidden_layers":30,"num_attention_heads":9,"num_key_value_heads":3,"vocab_size":49152,
		"max_position_embeddings":8192,"tie_word_embeddings":true,"rope_theta":100000`), models.CausalLM, "all-linear"},
	"llama-3.2-1b": {llama(`"hidden_size":2048,"intermediate_size":8192,"num_hidden_layers":16,"num_attention_heads":32,"num_key_value_heads":8,"head_dim":64,"vocab_size":128256,
		"max_position_embeddings":131072,"tie_word_embeddings":true,"rope_theta":500000`), models.CausalLM, "all-linear"},
	"llama-3.1-8b": {llama(`"hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"vocab_size":128256,
		"max_position_embeddings":131072,"rope_theta":500000`), models.CausalLM, "all-linear"},
}

func llama(sizes string) string {
	return `{"model_type":"llama","architectures":["LlamaForCausalLM"],` + sizes + `}`
}

func bert(hidden, layers, heads, inner int) string {
	return fmt.Sprintf(`{"model_type":"bert","architectures":["BertForSequenceClassification"],"hidden_size":%d,"num_hidden_layers":%d,"num_attention_heads":%d,"intermediate_size":%d,
		"vocab_size":30522,"max_position_embeddings":512,"type_vocab_size":2,"hidden_dropout_prob":0.1,"attention_probs_dropout_prob":0.1,"num_labels":2}`, hidden, layers, heads, inner)
}

// find is the shape of a name.
func find(name string) (shape, error) {
	s, ok := shapes[name]
	if !ok {
		return s, fmt.Errorf("bench: -shape is %q, expected one of %s", name, strings.Join(shapeNames(), ", "))
	}
	return s, nil
}

func shapeNames() []string { return slices.Sorted(maps.Keys(shapes)) }
