package models

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor/safetensors"
)

// biasFlags are the fields of config.json by which classes of transformers have biases that they have not otherwise, with the modules of which: all of their maps.
var biasFlags = map[string]map[string]string{
	"llama": {"attention_bias": ".self_attn.", "mlp_bias": ".mlp."}, "qwen3": {"attention_bias": ".self_attn."}, gemma3: {"attention_bias": ".self_attn."},
}

// admit changes a configuration so that a reader looks for parameters which the base has none of, and adds zeros for others that it will look for then. A parameter that no flag is for is refused
// by name: transformers would leave it out without a word.
func (m *Opened) admit(config map[string]any, added []string, tensors []safetensors.Tensor) ([]safetensors.Tensor, error) {
	if len(added) == 0 {
		return tensors, nil
	}
	for flag, module := range biasFlags[m.ModelType()] {
		if slices.ContainsFunc(added, func(name string) bool { return strings.Contains(name, module) }) {
			config[flag] = true
		}
	}
	read, err := m.parameters(config)
	if err != nil {
		return nil, err
	}
	for _, t := range tensors {
		if slices.Contains(added, t.Name) && read[t.Name] == nil {
			return nil, fmt.Errorf("models: export: %s has no %s in transformers, which would leave it out: keep the adapter beside the base", m.Class, t.Name)
		}
		delete(read, t.Name)
	}
	for name, f := range read {
		if strings.HasSuffix(name, ".bias") {
			tensors = append(tensors, safetensors.F32(name, f.Shape, make([]float32, f.Len())))
		}
	}
	return tensors, nil
}

// parameters are those of a model with a configuration, by name.
func (m *Opened) parameters(config map[string]any) (map[string]*peft.Frozen, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	blank, err := Blank(text, m.Options)
	if err != nil {
		return nil, err
	}
	sites, err := peft.FindSites(nil, blank.Unwrap())
	if err != nil {
		return nil, err
	}
	all := map[string]*peft.Frozen{}
	for f := range sites.Params() {
		all[f.Name] = f
	}
	return all, nil
}
