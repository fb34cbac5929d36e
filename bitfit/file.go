package bitfit

import (
	"errors"
	"slices"

	"peft/peft"
)

func init() { peft.Register("bitfit", decode) }

// fields are those of a configuration.
type fields struct {
	Terms peft.OneOr[peft.Role] `json:"terms"`
	Norms *bool                 `json:"norms"`
	Add   bool                  `json:"add"`
	Head  bool                  `json:"head"`
}

// all is the word for every kind of site.
const all = "all"

func decode(config []byte) (peft.Method, error) {
	f := fields{Terms: peft.OneOr[peft.Role]{all}}
	if err := peft.DecodeConfig(config, &f); err != nil {
		return nil, err
	}
	c := Config{f.Terms, f.Norms, f.Add, f.Head}
	switch {
	case len(f.Terms) == 1 && f.Terms[0] == all:
		c.Terms = nil
	case slices.Contains(f.Terms, all):
		return nil, errors.New(`terms is "all" or a list of kinds of sites, not both`)
	case len(f.Terms) == 0:
		return nil, errors.New(`terms is empty, expected "all" or a list of kinds of sites such as "query" and "intermediate"`)
	}
	return c, nil
}

// Config is the configuration in which every choice is said.
func (c Config) Config(*peft.Sites) (map[string]any, error) {
	var terms any = all
	if c.Terms != nil {
		terms = c.Terms
	}
	return map[string]any{"method": "bitfit", "terms": terms, "norms": c.norms(), "add": c.Add, "head": c.Head}, nil
}

// Key is the parameter's own name in the base.
func (Config) Key(_ *peft.Patch, x *peft.Param) string { return x.Name }
