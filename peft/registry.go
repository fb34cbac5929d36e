package peft

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A FileMethod is a Method whose patches can be saved in a folder and read back, here or by another library.
type FileMethod interface {
	Method
	// Config is the content of adapter_config.json, without what [Save] knows better: the base model, the task.
	Config(s *Sites) (map[string]any, error)
	// Key is the name of a parameter in the file of tensors; empty for one that the file does not hold.
	Key(q *Patch, x *Param) string
}

// A Decoder makes a method of an adapter_config.json.
type Decoder func(config []byte) (Method, error)

var formats struct {
	sync.RWMutex
	decoders map[string]Decoder
}

// Register makes a method known to [Load] under the peft_type, or the name in "method", of its configurations. Packages of methods call it when they are imported, as image formats
// do: a program that loads LoRA folders imports peft/lora.
func Register(name string, d Decoder) {
	formats.Lock()
	defer formats.Unlock()
	if formats.decoders == nil {
		formats.decoders = map[string]Decoder{}
	}
	formats.decoders[name] = d
}

// MethodName is the name under which the decoder of a configuration is registered: its "peft_type" or "method", or the [HubFormat] of one of AdapterHub's library.
func MethodName(config []byte) (string, error) {
	var head struct {
		PeftType string          `json:"peft_type"`
		Method   string          `json:"method"`
		Config   json.RawMessage `json:"config"`
	}
	if err := json.Unmarshal(config, &head); err != nil {
		return "", fmt.Errorf("peft: configuration: %w", err)
	}
	if name := cmp.Or(head.PeftType, head.Method); name != "" {
		return name, nil
	}
	return hubDecoder(head.Config)
}

// DecodeMethod makes the method that a configuration describes, see [MethodName].
func DecodeMethod(config []byte) (Method, error) {
	name, err := MethodName(config)
	if err != nil {
		return nil, err
	}
	d, known := decoder(name)
	if d == nil {
		return nil, fmt.Errorf("peft: configuration: no method %q; there are: %s (a package that is not imported adds none)", name, known)
	}
	m, err := d(config)
	if err != nil {
		return nil, fmt.Errorf("peft: configuration of %s: %w", name, err)
	}
	return m, nil
}

// decoder is the one that is registered under a name, nil if there is none, and the names of all.
func decoder(name string) (d Decoder, known string) {
	formats.RLock()
	defer formats.RUnlock()
	return formats.decoders[name], strings.Join(slices.Sorted(maps.Keys(formats.decoders)), ", ")
}

// DecodeConfig reads a configuration into v. One with a "peft_type", which other programs may have written, may have fields that v has not, and so may one that [Save] wrote; one with a
// "method", which a person wrote, may not.
func DecodeConfig(config []byte, v any) error {
	var head map[string]json.RawMessage
	if err := json.Unmarshal(config, &head); err != nil {
		return err
	}
	_, byHand := head["method"]
	_, saved := head["base_model_name_or_path"]
	delete(head, "method")
	rest, err := json.Marshal(head)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(rest))
	if byHand && !saved {
		d.DisallowUnknownFields()
	}
	return d.Decode(v)
}

// Refuse fails if one of the named fields of a configuration asks for something: is there and not null, false, 0 or empty.
func Refuse(config []byte, fields ...string) error {
	var all map[string]any
	if err := json.Unmarshal(config, &all); err != nil {
		return err
	}
	for _, f := range fields {
		switch v := all[f].(type) {
		case nil:
		case bool:
			if v {
				return fmt.Errorf("%s is not supported", f)
			}
		default:
			if text := fmt.Sprint(v); text != "map[]" && text != "[]" && text != "0" {
				return fmt.Errorf("%s is not supported", f)
			}
		}
	}
	return nil
}
