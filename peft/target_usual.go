package peft

import (
	"fmt"
	"slices"
	"strings"
)

// Usual chooses the modules that Hugging Face PEFT adapts by a method ("LORA", "IA3", in any case) in a model of a type ("bert") where a configuration names none. Where it knows of none, the
// selection's Select is an error, which lists the sites there are.
func Usual(method, modelType string) Selection {
	if t := usual(strings.ToUpper(method), modelType); t.Given() {
		return t
	}
	return unknown{strings.ToUpper(method), modelType}
}

// OrUsual is the selection itself where anything is [Targets.Given]; otherwise it takes what is [Usual] for the method and the type of the model that it is used for, as a configuration
// means that has no target_modules but perhaps modules to exclude, or layers.
func (t Targets) OrUsual(method string) Selection {
	if t.Given() {
		return t
	}
	return orUsual{t, method}
}

type orUsual struct {
	Targets
	method string
}

func (o orUsual) String() string { return fmt.Sprintf("%v.OrUsual(%q)", o.Targets, o.method) }

// Select looks the usual modules up, now that the model is known.
func (o orUsual) Select(s *Sites) ([]Site, error) {
	chosen := Usual(o.method, s.ModelType())
	if u, ok := chosen.(Targets); ok {
		o.Modules = u.Modules
		return o.Targets.Select(s)
	}
	return chosen.Select(s)
}

// UsualFeedForward are those of the usual targets of IA3 that are scaled at their input, as feed-forward layers.
func UsualFeedForward(modelType string) (names []string) {
	for _, w := range usualWords("IA3", modelType) {
		if name, ok := strings.CutPrefix(w, "*"); ok {
			names = append(names, name)
		}
	}
	return names
}

// unknown is the selection of a method that has no usual targets in a model.
type unknown struct{ method, modelType string }

func (u unknown) String() string {
	if u.modelType == "" {
		return fmt.Sprintf("the usual targets of %s", u.method)
	}
	return fmt.Sprintf("the usual targets of %s in %s", u.method, u.modelType)
}

// Select is always an error.
func (u unknown) Select(s *Sites) ([]Site, error) {
	why := fmt.Sprintf("none are known for models of type %q", u.modelType)
	if u.modelType == "" {
		why = "the model does not say its type"
	}
	return nil, fmt.Errorf("peft: no targets are given, and %s has no usual ones here: %s; choose from: %s", u.method, why, s.outline())
}

func usual(method, modelType string) Targets {
	words := usualWords(method, modelType)
	if len(words) == 1 && strings.ContainsRune(words[0], '(') {
		return FullMatch(words[0])
	}
	for i, w := range words {
		words[i] = strings.TrimPrefix(w, "*")
	}
	return Suffixes(words...)
}

// usualWords finds a method's row for a model's type: its own, or LoRA's where the method follows it.
func usualWords(method, modelType string) []string {
	if words := row(method, modelType); words != nil || !slices.Contains(strings.Fields(likeLoRA), method) {
		return words
	}
	return row("LORA", modelType)
}

func row(method, modelType string) []string {
	for line := range strings.Lines(usualTable) {
		head, types, _ := strings.Cut(line, ":")
		words := strings.Fields(head)
		if len(words) > 0 && words[0] == method && slices.Contains(strings.Fields(types), modelType) {
			return words[1:]
		}
	}
	return nil
}

// likeLoRA are the methods whose usual targets are LoRA's where the table does not say otherwise.
const likeLoRA = "BOFT C3A FOURIERFT HRA LOHA LOKR MISS OFT POLY RANDLORA ROAD SHIRA VERA WAVEFT"

// usualTable says, as Hugging Face PEFT does, which modules a method adapts in models of which types. A star marks feed-forward modules of IA3, parentheses an expression.
const usualTable = `
LORA q v: t5 mt5
LORA q_proj v_proj: bart opt gptj gpt_neo llama llama4 mistral mixtral stablelm gemma gemma2 gemma3_text qwen2 qwen3
LORA q_proj v_proj fc1 fc2: phi
LORA q_proj k_proj v_proj o_proj: nemotron_h
LORA q v q_proj v_proj: blip-2
LORA query value: bert roberta xlm-roberta electra layoutlm
LORA query_proj value_proj: deberta-v2
LORA in_proj: deberta
LORA c_attn: gpt2 gpt_bigcode
LORA c_proj c_attn: btlm
LORA query_key_value: bloom gpt_neox chatglm falcon RefinedWeb RefinedWebModel
LORA Wqkv: mpt
LORA qkv_proj: codegen
LORA .*language_model\..*\.(q_proj|v_proj): gemma4
C3A mlp.c_proj: gpt2 gpt_bigcode
FOURIERFT mlp.c_proj: gpt2 gpt_bigcode
WAVEFT mlp.c_proj: gpt2 gpt_bigcode
SHIRA q_proj v_proj: phi
VERA q_proj v_proj: phi
ADALORA q k v o wi wo: t5
ADALORA q k v o wi_0 wi_1 wo: mt5
ADALORA q_proj k_proj v_proj out_proj fc1 fc2: bart opt
ADALORA q_proj v_proj: gptj gpt_neo llama llama4 gemma gemma2 gemma3_text qwen2 qwen3
ADALORA query value: bert
ADALORA query key value dense: roberta
ADALORA query_proj key_proj value_proj dense: deberta-v2
ADALORA in_proj: deberta
ADALORA c_attn: gpt2 gpt_bigcode
ADALORA query_key_value: bloom gpt_neox
VBLORA q k v o wi wo: t5
VBLORA q k v o wi_0 wi_1 wo: mt5
VBLORA q_proj k_proj v_proj out_proj fc1 fc2: bart opt
VBLORA q_proj v_proj: gptj gpt_neo llama llama4 gemma gemma2 gemma3_text qwen2 qwen3
VBLORA query value: bert roberta
VBLORA query_proj key_proj value_proj dense: deberta-v2
VBLORA in_proj: deberta
VBLORA c_attn: gpt2 gpt_bigcode
VBLORA query_key_value: bloom gpt_neox
IA3 k v *wo: t5
IA3 k v wi_1: mt5
IA3 c_attn *mlp.c_proj: gpt2 gpt_bigcode
IA3 query_key_value *mlp.dense_4h_to_h: bloom
IA3 query_key_value *dense_4h_to_h: gpt_neox falcon RefinedWeb RefinedWebModel
IA3 key value *output.dense: bert roberta
IA3 key_proj value_proj *output.dense: deberta-v2
IA3 in_proj *output.dense: deberta
IA3 q_proj k_proj *fc2: opt
IA3 q_proj v_proj *fc2: bart phi
IA3 q_proj v_proj *fc_out: gptj
IA3 q_proj v_proj *c_proj: gpt_neo
IA3 k_proj v_proj *down_proj: llama mistral
IA3 q_proj v_proj *down_proj: llama4 gemma gemma2 gemma3_text qwen2 qwen3
IA3 k_proj v_proj *w2: mixtral
OSF q_proj k_proj v_proj o_proj gate_proj down_proj up_proj: llama llama4 mistral mixtral gemma gemma2 gemma3_text qwen2 qwen3 phi
OSF q_proj k_proj v_proj out_proj fc1 fc2: opt
OSF q_proj k_proj v_proj out_proj fc_in fc_out: gptj
OSF c_attn c_proj: gpt2 gpt_bigcode
OSF query_key_value dense_4h_to_h: bloom gpt_neox falcon
LN_TUNING input_layernorm post_attention_layernorm norm: llama mistral gemma
LN_TUNING input_layernorm post_attention_layernorm pre_feedforward_layernorm post_feedforward_layernorm norm: gemma2 gemma3_text
LN_TUNING input_layernorm post_attention_layernorm ln_f: bloom falcon
LN_TUNING post_attention_layernorm: qwen2 qwen3
LN_TUNING input_layernorm final_layernorm: phi
LN_TUNING layer_norm final_layer_norm: t5 mt5
LN_TUNING self_attn_layer_norm encoder_attn_layer_norm final_layer_norm: bart
LN_TUNING ln_1 ln_2 ln_f: gpt2
LN_TUNING ln_1 ln_f: gptj
LN_TUNING layernorm LayerNorm final_layer_norm self_attn_layer_norm: blip-2
LN_TUNING multi_modal_projector input_layernorm post_attention_layernorm norm embed_tokens lm_head: llava
`
