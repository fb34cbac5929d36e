package models

import (
	"encoding/json"
	"fmt"

	"peft/internal/plainjson"
)

// A dialect is how the config.json of a model type is worded: other names for fields of [Config], and what holds where a field is missing.
type dialect struct {
	names    map[string]string // theirs: ours
	defaults string            // in our names
}

var dialects = map[string]dialect{
	"gpt2": {
		map[string]string{
			"n_embd": "hidden_size", "n_inner": "intermediate_size", "n_layer": "num_hidden_layers", "n_head": "num_attention_heads", "n_positions": "max_position_embeddings",
			"activation_function": "hidden_act", "layer_norm_epsilon": "layer_norm_eps", "resid_pdrop": "hidden_dropout_prob", "attn_pdrop": "attention_probs_dropout_prob",
			"embd_pdrop": "embedding_dropout",
		},
		`{"hidden_act": "gelu_new", "layer_norm_eps": 1e-5, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "embedding_dropout": 0.1,
		  "type_vocab_size": 1, "pad_token_id": -1, "tie_word_embeddings": true, "scale_attn_weights": true}`,
	},
	"distilbert": {
		map[string]string{
			"dim": "hidden_size", "hidden_dim": "intermediate_size", "n_layers": "num_hidden_layers", "n_heads": "num_attention_heads", "activation": "hidden_act",
			"dropout": "hidden_dropout_prob", "attention_dropout": "attention_probs_dropout_prob", "seq_classif_dropout": "classifier_dropout",
		},
		`{"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "classifier_dropout": 0.2, "max_position_embeddings": 512, "type_vocab_size": 1}`,
	},
	"gemma3_text": {
		map[string]string{
			"rms_norm_eps": "layer_norm_eps", "attention_dropout": "attention_probs_dropout_prob", "hidden_activation": "hidden_act", "_sliding_window_pattern": "sliding_window_pattern",
		},
		`{"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6, "max_position_embeddings": 131072, "head_dim": 256, "query_pre_attn_scalar": 256, "sliding_window": 4096,
		  "sliding_window_pattern": 6, "rope_theta": 1000000, "rope_local_base_freq": 10000, "type_vocab_size": 1, "pad_token_id": 0, "tie_word_embeddings": true}`,
	},
	"gpt_neox": {
		map[string]string{
			"hidden_dropout": "hidden_dropout_prob", "attention_dropout": "attention_probs_dropout_prob", "rotary_pct": "partial_rotary_factor", "rotary_emb_base": "rope_theta",
		},
		`{"layer_norm_eps": 1e-5, "max_position_embeddings": 2048, "rope_theta": 10000, "partial_rotary_factor": 0.25, "use_parallel_residual": true, "attention_bias": true,
		  "type_vocab_size": 1, "pad_token_id": -1, "tie_word_embeddings": false}`,
	},
	"opt": {
		map[string]string{
			"ffn_dim": "intermediate_size", "activation_function": "hidden_act", "dropout": "hidden_dropout_prob", "attention_dropout": "attention_probs_dropout_prob",
		},
		`{"hidden_act": "relu", "layer_norm_eps": 1e-5, "hidden_dropout_prob": 0.1, "max_position_embeddings": 2048, "enable_bias": true, "do_layer_norm_before": true,
		  "layer_norm_elementwise_affine": true, "type_vocab_size": 1, "pad_token_id": 1, "tie_word_embeddings": true}`,
	},
	"llama":   llamaDialect,
	"mistral": llamaDialect,
	"qwen2":   llamaDialect,
	"qwen3":   llamaDialect,
}

var llamaDialect = dialect{
	map[string]string{"rms_norm_eps": "layer_norm_eps", "attention_dropout": "attention_probs_dropout_prob"},
	`{"hidden_act": "silu", "layer_norm_eps": 1e-6, "max_position_embeddings": 2048, "rope_theta": 10000, "type_vocab_size": 1, "pad_token_id": -1, "tie_word_embeddings": false,
	  "max_window_layers": 28}`,
}

// parseConfig reads a config.json in the words of its model type.
func parseConfig(data []byte) (*Config, error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("config.json: %w", plainjson.Error(err))
	}
	c := &Config{Eps: 1e-12, Types: 2, Act: "gelu"}
	_ = json.Unmarshal(fields["model_type"], &c.ModelType) // what is no word is refused with the rest
	d := dialects[c.ModelType]
	if d.defaults != "" {
		if err := json.Unmarshal([]byte(d.defaults), c); err != nil {
			return nil, fmt.Errorf("defaults of %s: %w", c.ModelType, err)
		}
	}
	for theirs, ours := range d.names {
		if v, ok := fields[theirs]; ok {
			fields[ours] = v
		}
	}
	plain, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	if err := json.Unmarshal(plain, c); err != nil {
		return nil, fmt.Errorf("config.json: %w", plainjson.Error(err))
	}
	c.complete()
	return c, nil
}

// theirs is what a field is called in the config.json of the model type.
func (c *Config) theirs(field string) string {
	for theirs, ours := range dialects[c.ModelType].names {
		if ours == field {
			return theirs
		}
	}
	return field
}

// complete fills in sizes that follow from others.
func (c *Config) complete() {
	if c.Intermediate == 0 && c.ModelType == "gpt2" {
		c.Intermediate = 4 * c.Hidden
	}
	if c.HeadSize == 0 && c.Heads > 0 {
		c.HeadSize = c.Hidden / c.Heads
	}
	if c.WordSize == 0 {
		c.WordSize = c.Hidden
	}
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if qwen := c.ModelType == "qwen2" || c.ModelType == "qwen3"; qwen && !c.UseWindow {
		c.Window = 0
	}
}
