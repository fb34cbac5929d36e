package adapter

import (
	"bytes"
	"encoding/json"

	"peft/peft"
)

func init() {
	for name, c := range presets {
		peft.Register(name, func(config []byte) (peft.Method, error) { return decodeNamed(config, c) })
	}
	peft.Register(peft.HubFormat(""), decodeHub)
	peft.Register(peft.HubFormat("bottleneck"), decodeHub)
}

// named are the fields of a configuration that a person wrote.
type named struct {
	Name         string `json:"name"`
	Head         bool   `json:"head"`
	Architecture string `json:"architecture"`
	fields
}

// decodeNamed reads a configuration that changes some fields of a preset.
func decodeNamed(config []byte, preset Config) (peft.Method, error) {
	n := named{fields: preset.fields()}
	if err := peft.DecodeConfig(config, &n); err != nil {
		return nil, err
	}
	c, err := n.fields.config()
	c.Name, c.Head = n.Name, n.Head
	return c, err
}

// decodeHub reads the configuration of a folder of AdapterHub's library. What it leaves out is as in the library's base class.
func decodeHub(config []byte) (peft.Method, error) {
	var doc peft.HubConfig
	if err := json.Unmarshal(config, &doc); err != nil {
		return nil, err
	}
	f := Config{Input: Branch, At: []peft.Role{}}.fields()
	if err := json.Unmarshal(doc.Config, &f); err != nil {
		return nil, err
	}
	if today := renamed[f.NonLinearity]; doc.Version == "" && today != "" {
		f.NonLinearity = today
	}
	c, err := f.config()
	c.Name, c.Head = doc.Name, doc.Head
	return c, err
}

// renamed are functions that files without a version call by other names.
var renamed = map[string]string{"gelu": "gelu_new", "gelu_orig": "gelu"}

// Config is the configuration that AdapterHub's library reads. Numbers stay as they are written: the library tells 1.0 from 1.
func (c Config) Config(*peft.Sites) (map[string]any, error) {
	text, err := json.Marshal(c.fields())
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var m map[string]any
	return m, d.Decode(&m)
}
