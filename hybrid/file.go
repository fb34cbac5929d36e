package hybrid

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"peft/peft"
)

func init() {
	peft.Register("mam", func(text []byte) (peft.Method, error) { return decodeUnion(text, "mam", MAM{}) })
	peft.Register("unipelt", func(text []byte) (peft.Method, error) { return decodeUnion(text, "unipelt", UniPELT{}) })
}

// unionFields are the fields of a union's configuration that a person wrote: what a part's own configuration changes of the recipe's, or null where the part is left out.
type unionFields struct {
	Name    string          `json:"name"`
	Head    bool            `json:"head"`
	Prefix  json.RawMessage `json:"prefix_tuning"`
	Adapter json.RawMessage `json:"adapter"`
	LoRA    json.RawMessage `json:"lora"`
}

// decodeUnion reads a configuration that changes some fields of a recipe's parts, by the names that AdapterHub's library has for them.
func decodeUnion(text []byte, name string, recipe peft.Recipe) (peft.Method, error) {
	f := unionFields{Name: name}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	standard, err := configs(recipe)
	if err != nil {
		return nil, err
	}
	changes := map[string]json.RawMessage{"prefix_tuning": f.Prefix, "adapter": f.Adapter, "lora": f.LoRA}
	var parts []peft.HubMethod
	for _, c := range standard {
		field := "adapter"
		if a, ok := c["architecture"]; ok {
			field = strings.Trim(string(a), `"`)
		}
		change := changes[field]
		delete(changes, field)
		if string(change) == "null" {
			continue
		}
		m, err := f.part(c, change)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
		parts = append(parts, m)
	}
	for field, change := range changes {
		if len(change) > 0 {
			return nil, fmt.Errorf("%s: %s has no such part", field, name)
		}
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("all parts are left out")
	}
	return peft.Union(parts...), nil
}

// configs are the configurations of a recipe's parts.
func configs(r peft.Recipe) ([]map[string]json.RawMessage, error) {
	config, err := r.Recipe().(peft.HubMethod).Config(nil)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(config["configs"])
	if err != nil {
		return nil, err
	}
	var all []map[string]json.RawMessage
	return all, json.Unmarshal(text, &all)
}

// part is a part of a union whose configuration is changed.
func (f unionFields) part(c map[string]json.RawMessage, change json.RawMessage) (peft.HubMethod, error) {
	if len(change) > 0 {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(change, &fields); err != nil {
			return nil, fmt.Errorf("expected a configuration or null: %w", err)
		}
		for name := range fields {
			if _, ok := c[name]; !ok {
				return nil, fmt.Errorf("unknown field %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(c)), ", "))
			}
		}
		maps.Copy(c, fields)
	}
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(peft.HubConfig{Config: config, Name: f.Name, Head: f.Head})
	if err != nil {
		return nil, err
	}
	m, err := peft.DecodeMethod(text)
	if err != nil {
		return nil, err
	}
	return m.(peft.HubMethod), nil
}
