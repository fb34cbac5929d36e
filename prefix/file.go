package prefix

import (
	"fmt"
	"strings"

	"peft/peft"
)

func init() {
	for _, f := range []struct {
		decode peft.Decoder
		names  []string
	}{
		{decodePrefix, []string{"PREFIX_TUNING", "prefix", "p_tuning_v2"}},
		{decodePrompt, []string{"PROMPT_TUNING", "prompt", "prompt_tuning"}},
		{decodePTuning, []string{"P_TUNING", "p_tuning"}},
		{decodeContext, []string{"CPT", "cpt"}},
		{decodeMultitask, []string{"MULTITASK_PROMPT_TUNING", "multitask_prompt_tuning"}},
	} {
		for _, name := range f.names {
			peft.Register(name, f.decode)
		}
	}
}

// origin is what a configuration that was read says beside what a program may choose: that there are saved rows, which nothing needs to make or draw, and the sizes of the model it is for.
type origin struct {
	saved bool
	said  sizes
}

// Key is a parameter's name in adapter_model.safetensors: prompt_embeddings and the like stand alone, and what is trained of the base is below base_model.
func (origin) Key(_ *peft.Patch, x *peft.Param) string {
	if _, field, own := strings.Cut(x.Name, "/"); own {
		return field
	}
	return "base_model." + x.Name
}

// shared are the fields that configurations of all these methods have in Hugging Face PEFT, and whether the head is to be trained.
type shared struct {
	Tokens int `json:"num_virtual_tokens"`
	sizes
	ModulesToSave []string `json:"modules_to_save"`
	TaskType      string   `json:"task_type"`
	Saved         bool     `json:"inference_mode"`
	Head          bool     `json:"head"`
}

// defaults are where configurations say nothing.
var defaults = shared{Tokens: 10}

func (f shared) origin() origin { return origin{saved: f.Saved, said: f.sizes} }

// save are the modules that are trained whole, each once. Hugging Face PEFT adds the usual names of a classifier's head.
func (f shared) save() (save []string) {
	all := f.ModulesToSave
	if f.TaskType == "SEQ_CLS" || f.TaskType == "TOKEN_CLS" {
		all = append(all, "classifier", "score")
	}
	seen := map[string]bool{}
	for _, m := range all {
		if !seen[m] {
			save = append(save, m)
		}
		seen[m] = true
	}
	return save
}

// fields are the shared fields of a configuration as it is written, with more of the method's own.
func fields(kind string, tokens int, n sizes, save []string, own map[string]any) map[string]any {
	config := map[string]any{
		"peft_type": kind, "num_virtual_tokens": tokens, "token_dim": n.Dim, "num_layers": n.Layers, "num_attention_heads": n.Heads, "num_transformer_submodules": n.Stacks,
		"modules_to_save": nil,
	}
	if len(save) > 0 {
		config["modules_to_save"] = save
	}
	for key, v := range own {
		config[key] = v
	}
	return config
}

// orNull is null in place of nothing.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func decodePrefix(text []byte) (peft.Method, error) {
	f := struct {
		shared
		Projection bool `json:"prefix_projection"`
		Hidden     int  `json:"encoder_hidden_size"`
		Init       any  `json:"init_weights"`
	}{shared: defaults}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	switch f.Init {
	case nil, "", "zero", true, false: // to Hugging Face PEFT all but "zero" is null
	default:
		return nil, fmt.Errorf(`init_weights is "%v", expected null or "zero"`, f.Init)
	}
	return Config{Tokens: f.Tokens, Projection: f.Projection, Hidden: f.Hidden, Zero: f.Init == "zero", Save: f.save(), Head: f.Head, origin: f.origin()}, nil
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Config) Config(s *peft.Sites) (map[string]any, error) {
	all, err := stacks(s)
	if err != nil {
		return nil, err
	}
	n, init := prefixSizes(all), ""
	if c.Zero {
		init = "zero"
	}
	return fields("PREFIX_TUNING", c.Tokens, n, s.Modules(c.Save, c.Head), map[string]any{
		"prefix_projection": c.Projection, "encoder_hidden_size": c.hidden(n), "init_weights": orNull(init),
	}), nil
}

func decodePTuning(text []byte) (peft.Method, error) {
	f := struct {
		shared
		Encoder Encoder `json:"encoder_reparameterization_type"`
		Hidden  int     `json:"encoder_hidden_size"`
		Layers  int     `json:"encoder_num_layers"`
		Dropout float64 `json:"encoder_dropout"`
	}{shared: defaults}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	c := PTuning{
		Tokens: f.Tokens, Encoder: f.Encoder, Hidden: f.Hidden, Layers: f.Layers, Dropout: f.Dropout, Save: f.save(), Head: f.Head, origin: f.origin(),
	}
	return c, c.check()
}

// Config is the configuration that Hugging Face PEFT reads.
func (c PTuning) Config(s *peft.Sites) (map[string]any, error) {
	all, err := stacks(s)
	if err != nil {
		return nil, err
	}
	n, encoder := promptSizes(all), c.Encoder
	if encoder == "" {
		encoder = MLP
	}
	return fields("P_TUNING", c.Tokens, n, s.Modules(c.Save, c.Head), map[string]any{
		"encoder_reparameterization_type": encoder, "encoder_hidden_size": c.hidden(n), "encoder_num_layers": c.layers(), "encoder_dropout": c.Dropout,
	}), nil
}
