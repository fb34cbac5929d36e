package prefix

import (
	"cmp"
	"fmt"
	"slices"

	"peft/peft"
)

func decodeContext(text []byte) (peft.Method, error) {
	f := struct {
		shared
		IDs      []int32 `json:"cpt_token_ids"`
		Types    []int   `json:"cpt_tokens_type_mask"`
		Input    float64 `json:"opt_projection_epsilon"`
		Template float64 `json:"opt_projection_format_epsilon"`
		Weights  string  `json:"opt_weighted_loss_type"`
		Decay    float64 `json:"opt_loss_decay_factor"`
	}{Input: 0.1, Template: 0.1, Weights: "none", Decay: 1}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	c := Context{IDs: f.IDs, Types: f.Types, Input: f.Input, Template: f.Template, Decay: f.Decay, origin: f.origin()}
	switch f.Weights {
	case "none":
		c.Decay = 1
	case "decay":
	default:
		return nil, fmt.Errorf(`opt_weighted_loss_type is %q, expected "none" or "decay"`, f.Weights)
	}
	if f.Tokens != 0 && f.Tokens != len(f.IDs) {
		return nil, fmt.Errorf("num_virtual_tokens is %d, but there are %d cpt_token_ids", f.Tokens, len(f.IDs))
	}
	return c, c.check()
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Context) Config(s *peft.Sites) (map[string]any, error) {
	all, err := stacks(s)
	if err != nil {
		return nil, err
	}
	weights := "decay"
	if c.Decay == 0 || c.Decay == 1 {
		weights = "none"
	}
	return fields("CPT", len(c.IDs), promptSizes(all), nil, map[string]any{
		"cpt_token_ids": c.IDs, "cpt_mask": slices.Repeat([]int{1}, len(c.IDs)), "cpt_tokens_type_mask": c.Types, "opt_projection_epsilon": c.Input,
		"opt_projection_format_epsilon": c.Template, "opt_weighted_loss_type": weights, "opt_loss_decay_factor": cmp.Or(c.Decay, 1), "tokenizer_name_or_path": nil,
	}), nil
}
