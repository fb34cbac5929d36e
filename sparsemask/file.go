package sparsemask

import (
	"cmp"

	"peft/peft"
	"peft/tensor/safetensors"
)

func init() { peft.Register("fish", decode) }

// fields are those of a configuration.
type fields struct {
	Keep    float64 `json:"keep"`
	Fisher  Kind    `json:"fisher"`
	Samples int     `json:"samples"`
	Data    string  `json:"data,omitempty"`
	Head    bool    `json:"head"`
	Base    string  `json:"base_hash,omitempty"`
}

// keep is the share that is trained where a configuration does not say: the paper's.
const keep = 0.005

func decode(config []byte) (peft.Method, error) {
	f := fields{Keep: keep}
	if err := peft.DecodeConfig(config, &f); err != nil {
		return nil, err
	}
	c := Config{Keep: f.Keep, Fisher: cmp.Or(f.Fisher, Label), Samples: f.Samples, Data: f.Data, Head: f.Head, Base: f.Base}
	made := c
	made.Scores = Scores{} // which the configuration cannot hold
	return c, made.check()
}

// Config is the configuration: how the mask was chosen. The mask itself is in the file of tensors.
func (c Config) Config(s *peft.Sites) (map[string]any, error) {
	fields := map[string]any{"method": "fish", "fisher": c.kind(), "samples": c.Samples, "head": c.Head}
	if hash := s.Hash(); hash != "" {
		fields["base_hash"] = hash
	}
	if c.Keep > 0 {
		fields["keep"] = c.Keep
	}
	return fields, nil
}

// Key is the parameter's own name in the base.
func (Config) Key(_ *peft.Patch, x *peft.Param) string { return x.Name }

// Restore takes the mask from a file.
func (c Config) Restore(w *safetensors.File) (peft.Method, error) {
	mask, err := peft.PlacesIn(w)
	c.Mask = mask
	return c, err
}
