package lora

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
)

func init() {
	peft.Register("LORA", decode)
	peft.Register("lora", decode)
}

// file is adapter_config.json as Hugging Face PEFT has it. Init holds true, false or a word.
type file struct {
	peft.Targets
	R             int             `json:"r"`
	Alpha         float64         `json:"lora_alpha"`
	Dropout       float64         `json:"lora_dropout"`
	RSLoRA        bool            `json:"use_rslora"`
	Bias          Bias            `json:"bias"`
	OwnBias       bool            `json:"lora_bias"`
	Init          json.RawMessage `json:"init_lora_weights"`
	RankPattern   peft.PatternMap `json:"rank_pattern"`
	AlphaPattern  peft.PatternMap `json:"alpha_pattern"`
	ModulesToSave []string        `json:"modules_to_save"`
	TaskType      string          `json:"task_type"`
	Head          bool            `json:"head"`
}

// decode reads a configuration of Hugging Face PEFT, or one of the same fields.
func decode(config []byte) (peft.Method, error) {
	f := file{R: 8, Alpha: 8, Bias: NoBias}
	if err := peft.DecodeConfig(config, &f); err != nil {
		return nil, err
	}
	if err := peft.Refuse(config, unsupported...); err != nil {
		return nil, err
	}
	init, err := decodeInit(f.Init)
	if err != nil {
		return nil, err
	}
	c := Config{
		Rank: f.R, Alpha: f.Alpha, Dropout: f.Dropout, RSLoRA: f.RSLoRA, Bias: f.Bias, OwnBias: f.OwnBias, Init: init,
		RankPattern: f.RankPattern, AlphaPattern: f.AlphaPattern, Save: f.ModulesToSave, Head: f.Head, On: f.Targets.OrUsual("LORA"),
	}
	if f.TaskType == "SEQ_CLS" || f.TaskType == "TOKEN_CLS" {
		c.Save = append(c.Save, "classifier", "score")
	}
	return c, c.check()
}

// unsupported are the fields of Hugging Face's configuration that ask for something else than this package makes.
var unsupported = []string{
	"use_dora", "use_qalora", "use_bdlora", "layer_replication", "target_parameters", "trainable_token_indices", "alora_invocation_tokens", "arrow_config", "kasa_config",
	"monteclora_config", "velora_config", "eva_config", "corda_config", "lora_ga_config", "loftq_config", "ensure_weight_tying",
}

func decodeInit(raw json.RawMessage) (Init, error) {
	switch string(raw) {
	case "", "true", "null":
		return Kaiming, nil
	case "false":
		return Random, nil
	case `"gaussian"`:
		return Gaussian, nil
	}
	return "", fmt.Errorf(`init_lora_weights is %s, expected true, false or "gaussian"`, raw)
}

// Config is the configuration that Hugging Face PEFT reads.
func (c Config) Config(s *peft.Sites) (map[string]any, error) {
	chosen := peft.Except(c.selection(s), c.modules(s))
	targets, err := peft.TargetsOf(chosen, s)
	if err != nil {
		return nil, err
	}
	sites, err := chosen.Select(s)
	if err != nil {
		return nil, err
	}
	config := targets.Fields()
	for key, v := range map[string]any{
		"peft_type": "LORA", "r": c.Rank, "lora_alpha": c.alpha(), "lora_dropout": c.Dropout, "use_rslora": c.RSLoRA, "bias": c.bias(), "lora_bias": c.OwnBias,
		"init_lora_weights": encodeInit(c.Init), "rank_pattern": c.RankPattern, "alpha_pattern": c.AlphaPattern, "fan_in_fan_out": slices.ContainsFunc(sites, transposed), "use_dora": false,
		"modules_to_save": nil,
	} {
		config[key] = v
	}
	if save := c.modules(s); len(save) > 0 {
		config["modules_to_save"] = save
	}
	return config, nil
}

// transposed reports whether the checkpoint holds a site's matrix as [in out].
func transposed(x peft.Site) bool { return len(x.Frozen()) > 0 && x.Frozen()[0].Transposed }

func (c Config) alpha() float64 {
	if c.Alpha == 0 {
		return float64(c.Rank)
	}
	return c.Alpha
}

func (c Config) bias() Bias {
	if c.Bias == "" {
		return NoBias
	}
	return c.Bias
}

func encodeInit(i Init) any {
	switch i {
	case Gaussian:
		return "gaussian"
	case Random:
		return false
	}
	return true
}

// modules are all that are trained whole: those in Save, and the head if it is asked for.
func (c Config) modules(s *peft.Sites) []string { return s.Modules(c.Save, c.Head) }

// Key is a parameter's name in adapter_model.safetensors: SITE.lora_A.weight, SITE.lora_B.bias, SITE.lora_embedding_A, or that of the base's own parameter.
func (c Config) Key(q *peft.Patch, x *peft.Param) string {
	site, field, own := strings.Cut(x.Name, "/")
	switch {
	case !own:
		return q.BaseKey(x)
	case field == "lora_bias":
		return peft.Wrapper + site + ".lora_B.bias"
	case strings.HasPrefix(field, "lora_embedding"):
		return peft.Wrapper + site + "." + field
	}
	return peft.Wrapper + site + "." + field + ".weight"
}

// Aliases are the further keys of a bias that is trained twice over: as one of all biases, and with its module. The file holds it under both.
func (c Config) Aliases(q *peft.Patch, x *peft.Param) []string {
	m := peft.Module(x.Name, c.modules(q.Sites()))
	if c.Bias != AllBias || m == "" || x.Fixed || !strings.HasSuffix(x.Name, ".bias") {
		return nil
	}
	return []string{peft.Wrapper + m + ".modules_to_save" + strings.TrimPrefix(x.Name, m)}
}
