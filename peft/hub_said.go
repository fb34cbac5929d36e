package peft

import (
	"bytes"
	"encoding/json"
	"maps"
)

// sayAgain is the configuration of a method in the words of the file that it was loaded from, as far as it means the same in them: a file may hold fields that make no difference, or say the same
// in another way.
func (q *Patch) sayAgain(config map[string]any, name string) map[string]any {
	var doc HubConfig
	var fields map[string]json.RawMessage
	if q.said == nil || json.Unmarshal(q.said, &doc) != nil || json.Unmarshal(doc.Config, &fields) != nil {
		return config
	}
	again := maps.Clone(config)
	for field, v := range fields {
		again[field] = v
	}
	text, err := json.Marshal(again)
	if err != nil {
		return config
	}
	m, err := decodeHub(HubConfig{Config: text, Name: name, Version: hubVersion, Head: doc.Head})
	if err != nil {
		return config
	}
	if meant, err := m.Config(q.sites); err != nil || !sameJSON(meant, config) {
		return config
	}
	return again
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
