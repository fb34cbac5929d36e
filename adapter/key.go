package adapter

import (
	"strings"

	"peft/peft"
)

// Key is the name of a parameter in the files of AdapterHub's library: PLACE.adapters.NAME.FIELD, or that of the base's own parameter.
func (c Config) Key(q *peft.Patch, x *peft.Param) string {
	site, field, own := strings.Cut(x.Name, "/")
	switch {
	case !own:
		return x.Name
	case site == shared || site == inverted:
		return q.Sites().HubPrefix() + site + "." + c.name() + "." + field
	}
	return place(q.Sites(), site) + ".adapters." + c.name() + "." + field
}

// Twins are the second names of a norm before Down, which in the library is the first layer of Down as well.
func (c Config) Twins(q *peft.Patch, x *peft.Param) []string {
	key := c.Key(q, x)
	twin := strings.Replace(key, ".adapter_norm_before.", ".adapter_down.0.", 1)
	if twin == key {
		return nil
	}
	return []string{twin}
}

// HubName is the name of the adapter.
func (c Config) HubName() string { return c.name() }

// places are where the library has the adapters of a block, by model type; for other types, in the module of the sublayer.
var places = map[string]map[peft.Role]string{
	"distilbert": onBlock, "gpt2": onBlock, "llama": onBlock, "mistral": onBlock, "qwen2": onBlock, "gemma": onBlock, "bart": onBlock, "mbart": onBlock,
	"vit": {peft.SelfBlock: "attention_adapters", peft.FFN: "output.output_adapters"},
}

var onBlock = map[peft.Role]string{peft.SelfBlock: "attention_adapters", peft.CrossPart: "cross_attention_adapters", peft.FFN: "output_adapters"}

// place is the module that holds the adapters of a sublayer.
func place(s *peft.Sites, site string) string {
	x, _ := s.Find(site).(*peft.Sublayer)
	if x == nil {
		return site
	}
	if p := places[s.ModelType()][x.Role]; p != "" {
		return blockOf(site) + "." + p
	}
	return site
}

// blockOf is a path up to its first number.
func blockOf(path string) string {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if part != "" && strings.Trim(part, "0123456789") == "" {
			return strings.Join(parts[:i+1], ".")
		}
	}
	return path
}
