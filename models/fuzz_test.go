package models

import "testing"

// FuzzConfig makes models of configurations, or refuses them.
func FuzzConfig(f *testing.F) {
	for name, fam := range families {
		for _, a := range fam.architectures {
			f.Add(`{"model_type":"` + name + `","architectures":["` + a.name + `"],"hidden_size":8,"intermediate_size":12,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":11,"max_position_embeddings":9}`)
		}
	}
	f.Add(`{"model_type":"llama","architectures":["LlamaForCausalLM"],"rope_scaling":{"type":"llama3","factor":1e308,"low_freq_factor":0},"layer_types":[null],"head_dim":0}`)
	f.Add(`{"model_type":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseConfig([]byte(text))
		if err != nil || c.Layers > 10 {
			return
		}
		m, _, err := build([]byte(text), Options{}, true, 10)
		if err == nil && m.Limits().Vocabulary < 1 {
			t.Errorf("a model of %s has no vocabulary", text)
		}
	})
}
