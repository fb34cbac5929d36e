package prefix

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"peft/peft"
)

func init() {
	peft.Register(peft.HubFormat("prefix_tuning"), decodeHub)
	peft.Register(peft.HubFormat("prompt_tuning"), decodeHubPrompt)
	peft.Register("prefix_tuning", decodeNamed)
	peft.Register("prefix_tuning_flat", func(text []byte) (peft.Method, error) {
		m, err := decodeNamed(text)
		c, _ := m.(Hub)
		c.Flat = true
		return c, err
	})
}

// hubFields are the fields of AdapterHub's configurations of prefix tuning.
type hubFields struct {
	Architecture string  `json:"architecture"`
	Tokens       int     `json:"prefix_length"`
	Hidden       int     `json:"bottleneck_size"`
	Activation   string  `json:"non_linearity"`
	Dropout      float64 `json:"dropout"`
	Flat         bool    `json:"flat"`
	Gate         bool    `json:"use_gating"`
	Shared       bool    `json:"shared_gating"`
	Encoder      bool    `json:"encoder_prefix"`
	Cross        bool    `json:"cross_prefix"`
	LeaveOut     []int   `json:"leave_out"`
	Seed         *int    `json:"init_weights_seed"`
}

// hubDefaults are where configurations say nothing.
var hubDefaults = hubFields{
	Architecture: "prefix_tuning", Tokens: 30, Hidden: 512, Activation: "tanh", Shared: true, Encoder: true, Cross: true, LeaveOut: []int{},
}

func (f hubFields) method(name string, head bool) (Hub, error) {
	c := Hub{
		Name: name, Tokens: f.Tokens, Flat: f.Flat, Hidden: f.Hidden, Activation: f.Activation, Dropout: f.Dropout, Gate: f.Gate, KeyGate: f.Gate && !f.Shared,
		LeaveOut: f.LeaveOut, NoEncoder: !f.Encoder, NoCross: !f.Cross, Head: head,
	}
	return c, c.check()
}

// decodeHub reads the configuration of a folder of AdapterHub's library.
func decodeHub(text []byte) (peft.Method, error) {
	var doc peft.HubConfig
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	f := hubDefaults
	if err := json.Unmarshal(doc.Config, &f); err != nil {
		return nil, err
	}
	return f.method(doc.Name, doc.Head)
}

// decodeNamed reads a configuration that a person wrote.
func decodeNamed(text []byte) (peft.Method, error) {
	f := struct {
		Name string `json:"name"`
		Head bool   `json:"head"`
		hubFields
	}{hubFields: hubDefaults}
	if err := peft.DecodeConfig(text, &f); err != nil {
		return nil, err
	}
	return f.method(f.Name, f.Head)
}

// HubName is the name of the adapter.
func (c Hub) HubName() string { return cmp.Or(c.Name, "prefix_tuning") }

// Config is the configuration that AdapterHub's library reads.
func (c Hub) Config(*peft.Sites) (map[string]any, error) {
	leave := c.LeaveOut
	if leave == nil {
		leave = []int{}
	}
	return map[string]any{
		"architecture": "prefix_tuning", "prefix_length": c.Tokens, "bottleneck_size": cmp.Or(c.Hidden, 512), "non_linearity": c.activation(), "dropout": c.Dropout, "flat": c.Flat,
		"use_gating": c.Gate, "shared_gating": !c.KeyGate, "encoder_prefix": !c.NoEncoder, "cross_prefix": !c.NoCross, "leave_out": leave, "init_weights_seed": nil,
	}, nil
}

// Key is the name of a parameter in the files of AdapterHub's library.
func (c Hub) Key(q *peft.Patch, x *peft.Param) string {
	place, field, own := strings.Cut(x.Name, "/")
	gate, isGate := strings.CutPrefix(field, "prefix_gates.")
	switch {
	case !own:
		return x.Name
	case isGate:
		return place + ".prefix_tuning.prefix_gates." + c.HubName() + "." + gate
	}
	return q.Sites().HubPrefix() + "prefix_tuning.prefix_tunings." + c.HubName() + "." + place + "." + field
}

// decodeHubPrompt reads the configuration of a folder of AdapterHub's library.
func decodeHubPrompt(text []byte) (peft.Method, error) {
	var doc peft.HubConfig
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	f := struct {
		Tokens  int    `json:"prompt_length"`
		Combine string `json:"combine"`
	}{10, "prefix"}
	if err := json.Unmarshal(doc.Config, &f); err != nil {
		return nil, err
	}
	if f.Combine != "prefix" && f.Combine != "prefix_after_bos" {
		return nil, fmt.Errorf(`combine is %q, expected "prefix" or "prefix_after_bos"`, f.Combine)
	}
	return HubPrompt{Name: doc.Name, Tokens: f.Tokens, AfterBOS: f.Combine == "prefix_after_bos", Head: doc.Head}, nil
}

// HubName is the name of the adapter.
func (c HubPrompt) HubName() string { return cmp.Or(c.Name, "prompt_tuning") }

// Config is the configuration that AdapterHub's library reads.
func (c HubPrompt) Config(*peft.Sites) (map[string]any, error) {
	config := map[string]any{
		"architecture": "prompt_tuning", "prompt_length": c.Tokens, "combine": "prefix", "prompt_init": "random_uniform", "prompt_init_text": nil, "init_weights_seed": nil,
	}
	if c.AfterBOS {
		config["combine"] = "prefix_after_bos"
	}
	if c.Text != "" {
		config["prompt_init"], config["prompt_init_text"] = "from_string", c.Text
	}
	return config, nil
}

// Key is the name of a parameter in the files of AdapterHub's library.
func (c HubPrompt) Key(q *peft.Patch, x *peft.Param) string {
	if _, field, own := strings.Cut(x.Name, "/"); own {
		return q.Sites().HubPrefix() + "prompt_tuning.prompt_tunings." + c.HubName() + "." + field
	}
	return x.Name
}
