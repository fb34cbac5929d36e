package peft

import (
	"encoding/json"
	"fmt"
)

// Union is methods of AdapterHub's library combined into one adapter, as its folders hold it. All must have the name of the adapter.
func Union(methods ...HubMethod) HubMethod {
	u := union{}
	for _, m := range methods {
		u.combined = append(u.combined, m)
	}
	return u
}

type union struct{ combined }

func (u union) Attach(s *Sites, rng Rand) (*Patch, error) {
	if len(u.combined) == 0 {
		return nil, fmt.Errorf("peft: union: found no methods, expected one or more")
	}
	for _, m := range u.combined {
		if name := m.(HubMethod).HubName(); name != u.HubName() {
			return nil, fmt.Errorf("peft: union: one method names the adapter %q, another %q", u.HubName(), name)
		}
	}
	return u.combined.Attach(s, rng)
}

// HubName is the name of the adapter.
func (u union) HubName() string { return u.combined[0].(HubMethod).HubName() }

// Config lists the methods' configurations.
func (u union) Config(s *Sites) (map[string]any, error) {
	var all []map[string]any
	for _, m := range u.combined {
		c, err := m.(HubMethod).Config(s)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return map[string]any{"architecture": "union", "configs": all}, nil
}

// Key is the key of the method that a parameter is from.
func (union) Key(q *Patch, x *Param) string {
	o, ok := q.origins[x]
	if !ok {
		return x.Name
	}
	return o.q.method.(FileMethod).Key(o.q, o.x)
}

// Twins are those of the method that a parameter is from.
func (union) Twins(q *Patch, x *Param) []string {
	if o, ok := q.origins[x]; ok {
		return o.q.twins(o.x)
	}
	return nil
}

func init() { Register(HubFormat("union"), decodeUnion) }

func decodeUnion(config []byte) (Method, error) {
	var doc HubConfig
	if err := json.Unmarshal(config, &doc); err != nil {
		return nil, err
	}
	var inner struct {
		Configs []json.RawMessage `json:"configs"`
	}
	if err := json.Unmarshal(doc.Config, &inner); err != nil {
		return nil, err
	}
	if len(inner.Configs) == 0 {
		return nil, fmt.Errorf("configs is empty, expected the configurations of a union")
	}
	var all []HubMethod
	for i, c := range inner.Configs {
		m, err := decodeHub(HubConfig{Config: c, Name: doc.Name, Version: doc.Version, Head: doc.Head})
		if err != nil {
			return nil, fmt.Errorf("configs[%d]: %w", i, err)
		}
		all = append(all, m)
	}
	return Union(all...), nil
}

// decodeHub makes the method that a configuration of AdapterHub's library describes.
func decodeHub(doc HubConfig) (HubMethod, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	m, err := DecodeMethod(text)
	if err != nil {
		return nil, err
	}
	h, ok := m.(HubMethod)
	if !ok {
		return nil, fmt.Errorf("%T is no method of AdapterHub's library", m)
	}
	return h, nil
}
