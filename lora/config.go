package lora

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"peft/peft"
)

// shared are the fields that configurations of all methods have.
type shared struct {
	peft.Targets
	Bias          string   `json:"bias"`
	ModulesToSave []string `json:"modules_to_save"`
	TaskType      string   `json:"task_type"`
	Head          bool     `json:"head"`
}

// sharedFields are the names of those fields; fan_in_fan_out too, which says how the base's file holds a matrix, and is not asked.
var sharedFields = []string{
	"target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "bias", "modules_to_save", "task_type", "head", "fan_in_fan_out",
}

// read takes a configuration apart: the common part, and the method's own fields into own.
func (k kind) read(text []byte, own any) (c Common, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return c, err
	}
	var f shared
	if err := json.Unmarshal(text, &f); err != nil {
		return c, err
	}
	for _, name := range sharedFields {
		delete(fields, name)
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return c, err
	}
	return k.common(f), peft.DecodeConfig(rest, own)
}

func (k kind) common(f shared) Common {
	c := Common{On: f.Targets.OrUsual(k.name), Bias: Bias(f.Bias), Save: f.ModulesToSave, Head: f.Head}
	if strings.EqualFold(f.Bias, k.name+"_only") {
		c.Bias = OnlyLoRA
	}
	if f.TaskType == "SEQ_CLS" || f.TaskType == "TOKEN_CLS" {
		c.Save = append(c.Save, "classifier", "score")
	}
	return c
}

// write puts a configuration together as Hugging Face PEFT reads it: the common part, and the method's own fields.
func (k kind) write(c Common, s *peft.Sites, own any) (map[string]any, error) {
	chosen := c.selection(k, s)
	targets, err := peft.TargetsOf(chosen, s)
	if err != nil {
		return nil, err
	}
	sites, err := chosen.Select(s)
	if err != nil {
		return nil, err
	}
	config := targets.Fields()
	if err := addFields(config, own); err != nil {
		return nil, err
	}
	config["peft_type"], config["modules_to_save"] = k.name, nil
	if save := s.Modules(c.Save, c.Head); len(save) > 0 {
		config["modules_to_save"] = save
	}
	if k.bias {
		config["bias"] = k.biasWord(c.Bias)
	}
	if k.layout {
		config["fan_in_fan_out"] = slices.ContainsFunc(sites, transposed)
	}
	return config, nil
}

// biasWord is how the method's configurations say which biases are trained.
func (k kind) biasWord(b Bias) string {
	switch b {
	case "":
		return string(NoBias)
	case OnlyLoRA:
		return strings.ToLower(k.name) + "_only"
	}
	return string(b)
}

// addFields adds the fields of a struct, as JSON names them.
func addFields(config map[string]any, own any) error {
	text, err := json.Marshal(own)
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name, v := range maps.All(fields) {
		config[name] = v
	}
	return nil
}

// transposed reports whether the checkpoint holds a site's matrix as [in out].
func transposed(x peft.Site) bool { return len(x.Frozen()) > 0 && x.Frozen()[0].Transposed }

// Key is a parameter's name in adapter_model.safetensors: SITE.FIELD, or FIELD where it is shared by all sites, or that of the base's own parameter.
func (Common) Key(q *peft.Patch, x *peft.Param) string {
	site, field, own := strings.Cut(x.Name, "/")
	switch {
	case !own:
		return q.BaseKey(x)
	case site == "":
		return "base_model." + field
	}
	return peft.Wrapper + site + "." + field
}

// register makes a method known under its peft_type, in upper and in lower case.
func register(k kind, d peft.Decoder) {
	peft.Register(k.name, d)
	peft.Register(strings.ToLower(k.name), d)
}

// decoder reads a method's configurations. They begin with the defaults and may not ask for what is refused.
func decoder[M interface {
	peft.FileMethod
	check() error
}, P interface {
	*M
	set(Common)
}](k kind, defaults M, refused ...string) peft.Decoder {
	return func(text []byte) (peft.Method, error) {
		if err := peft.Refuse(text, refused...); err != nil {
			return nil, err
		}
		m := defaults
		c, err := k.read(text, &m)
		if err != nil {
			return nil, err
		}
		P(&m).set(c)
		return m, m.check()
	}
}

// demanding reads what a decoder reads, but for configurations in which one of the named fields is false.
func demanding(d peft.Decoder, fields ...string) peft.Decoder {
	return func(text []byte) (peft.Method, error) {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, err
		}
		for _, f := range fields {
			if string(all[f]) == "false" {
				return nil, fmt.Errorf("%s that is false is not supported", f)
			}
			delete(all, f)
		}
		rest, err := json.Marshal(all)
		if err != nil {
			return nil, err
		}
		return d(rest)
	}
}
