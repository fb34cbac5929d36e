package lora

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"peft/peft"
)

// read takes a configuration apart: the common part, and the method's own fields into own. It does not ask fan_in_fan_out, which says how the base's file holds a matrix.
func (k kind) read(text []byte, own any) (c Common, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return c, err
	}
	var bias string
	if raw := fields["bias"]; raw != nil {
		if err := json.Unmarshal(raw, &bias); err != nil {
			return c, fmt.Errorf("bias: %w", err)
		}
	}
	for _, f := range append([]string{"bias", "fan_in_fan_out"}, idle...) {
		delete(fields, f)
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return c, err
	}
	t, err := peft.DecodeTargeted(k.name, rest, own)
	c = Common{On: t.On, Bias: Bias(bias), Save: t.Save, Head: t.Head}
	if strings.EqualFold(bias, k.name+"_only") {
		c.Bias = OnlyLoRA
	}
	return c, err
}

// idle are fields of Hugging Face's configuration that say something only to what is not supported, to a GPU, or to what makes a fresh patch of data.
var idle = []string{"megatron_core", "qalora_group_size", "runtime_config", "eva_config", "lora_ga_config"}

// write puts a configuration together as Hugging Face PEFT reads it: the common part, and the method's own fields.
func (k kind) write(c Common, s *peft.Sites, own any) (map[string]any, error) {
	config, err := c.targeted().Fields(k.name, s, own)
	if err != nil {
		return nil, err
	}
	if k.bias {
		config["bias"] = k.biasWord(c.Bias)
	}
	if k.layout {
		sites, err := c.targeted().Sites(k.name, s)
		if err != nil {
			return nil, err
		}
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

// transposed reports whether the checkpoint holds a site's matrix as [in out].
func transposed(x peft.Site) bool { return len(x.Frozen()) > 0 && x.Frozen()[0].Transposed }

// Key is a parameter's name in adapter_model.safetensors: SITE.FIELD, or FIELD where it is shared by all sites, or that of the base's own parameter.
func (c Common) Key(q *peft.Patch, x *peft.Param) string { return c.targeted().Key(q, x) }

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

// edited reads what a decoder reads of a configuration whose fields are changed first.
func edited(d peft.Decoder, change func(all map[string]json.RawMessage) error) peft.Decoder {
	return func(text []byte) (peft.Method, error) {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, err
		}
		if err := change(all); err != nil {
			return nil, err
		}
		rest, err := json.Marshal(all)
		if err != nil {
			return nil, err
		}
		return d(rest)
	}
}

// unheeding reads what a decoder reads, without some fields of Hugging Face's configurations: it takes no notice of them, nor of words for a start. Those of a person who set them would be a mistake.
func unheeding(d peft.Decoder, fields ...string) peft.Decoder {
	return edited(d, func(all map[string]json.RawMessage) error {
		if all["peft_type"] == nil {
			return nil
		}
		for _, f := range fields {
			delete(all, f)
		}
		if start := all["init_lora_weights"]; len(start) > 0 && start[0] == '"' {
			delete(all, "init_lora_weights")
		}
		return nil
	})
}

// demanding reads what a decoder reads, but for configurations in which one of the named fields is false.
func demanding(d peft.Decoder, fields ...string) peft.Decoder {
	return edited(d, func(all map[string]json.RawMessage) error {
		for _, f := range fields {
			if string(all[f]) == "false" {
				return fmt.Errorf("%s that is false is not supported", f)
			}
			delete(all, f)
		}
		return nil
	})
}
