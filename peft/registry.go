package peft

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"peft/internal/plainjson"
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
		return "", fmt.Errorf("peft: configuration: %w", plainjson.Error(err))
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
		return nil, fmt.Errorf("peft: configuration of %s: %w", name, plainjson.Error(err))
	}
	return m, nil
}

// Known reports whether a method is registered under a name.
func Known(name string) bool {
	d, _ := decoder(name)
	return d != nil
}

// decoder is the one that is registered under a name, nil if there is none, and all names that are spelled as that one is.
func decoder(name string) (d Decoder, known string) {
	formats.RLock()
	defer formats.RUnlock()
	var all []string
	for _, n := range slices.Sorted(maps.Keys(formats.decoders)) {
		if spelling(n) == spelling(name) {
			all = append(all, n)
		}
	}
	return formats.decoders[name], strings.Join(all, ", ")
}

// spelling tells the names of AdapterHub's architectures, peft_types in capitals and names in small letters apart.
func spelling(name string) int {
	switch {
	case strings.HasPrefix(name, hubPrefix):
		return 0
	case name == strings.ToUpper(name) && name != strings.ToLower(name):
		return 1
	}
	return 2
}

// DecodeConfig reads a configuration into v. One with a "peft_type", which other programs may have written, may have fields that v has not, and so may one that [Save] wrote; one with a
// "method", which a person wrote, may not, unless they ask for nothing: are null, false, 0 or empty.
func DecodeConfig(config []byte, v any) error {
	var head map[string]json.RawMessage
	if err := json.Unmarshal(config, &head); err != nil {
		return err
	}
	_, byHand := head["method"]
	_, saved := head["base_model_name_or_path"]
	for _, f := range []string{"method", "auto_mapping", "peft_version", "revision"} {
		delete(head, f)
	}
	for {
		err := decodeFields(head, v, byHand && !saved)
		field, unknown := unknownField(err)
		if !unknown || asks(head[field]) {
			return err
		}
		delete(head, field)
	}
}

// decodeFields reads fields into v; strictly, if all of them must be fields of v.
func decodeFields(fields map[string]json.RawMessage, v any, strictly bool) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if strictly {
		d.DisallowUnknownFields()
	}
	return d.Decode(v)
}

// unknownField is the field that an error of encoding/json says to be unknown.
func unknownField(err error) (field string, ok bool) {
	if err == nil {
		return "", false
	}
	quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field ")
	if !ok {
		return "", false
	}
	field, err = strconv.Unquote(quoted)
	return field, err == nil
}

// asks reports whether the value of a field asks for something: is there and not null, false, 0 or empty.
func asks(raw json.RawMessage) bool {
	var v any
	if len(raw) > 0 && json.Unmarshal(raw, &v) != nil {
		return true
	}
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return false
}

// Refuse fails if one of the named fields of a configuration asks for something: is there and not null, false, 0 or empty.
func Refuse(config []byte, fields ...string) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(config, &all); err != nil {
		return err
	}
	for _, f := range fields {
		if asks(all[f]) {
			return fmt.Errorf("%s is not supported", f)
		}
	}
	return nil
}
