package hybrid

import (
	"cmp"

	"peft/adapter"
	"peft/lora"
	"peft/peft"
	"peft/prefix"
)

// UniPELT is LoRA, a prefix and adapters together (Mao et al. 2022, arXiv:2110.07577), each with gates, in every layer, that say how much of it a sequence gets: the mean over its tokens of
// sigmoid(x·wᵀ + b), with x what the part reads. Folders are those of AdapterHub's library, whose defaults the zero value has; without LoRA it is the paper's variant AP.
type UniPELT struct {
	Name    string         // of the adapter, a part of its keys in files; empty means "unipelt"
	Prefix  prefix.Hub     // by default 10 rows, made by an MLP of width 512
	Adapter adapter.Config // by default that of adapter.Pfeiffer, a sixteenth as wide as the stream
	LoRA    lora.Hub       // by default of rank 8, on query and value; its gate stands in place of the scale
	Head    bool           // train the model's head whole

	NoPrefix, NoAdapter, NoLoRA bool // leave a part out
}

// Attach attaches the parts.
func (c UniPELT) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	return c.Recipe().Attach(s, rng)
}

// Recipe is the union of the parts.
func (c UniPELT) Recipe() peft.Method {
	name := cmp.Or(c.Name, "unipelt")
	p, a, l := c.Prefix, c.Adapter, c.LoRA
	p.Name, p.Tokens, p.Gate, p.Head = name, cmp.Or(p.Tokens, 10), true, c.Head
	a.Name, a.Gate, a.Head = name, true, c.Head
	l.Name, l.Rank, l.Alpha, l.Gate, l.Head = name, cmp.Or(l.Rank, 8), cmp.Or(l.Alpha, 2), true, c.Head
	var parts []peft.HubMethod
	if !c.NoPrefix {
		parts = append(parts, p)
	}
	if !c.NoAdapter {
		parts = append(parts, a)
	}
	if !c.NoLoRA {
		parts = append(parts, l)
	}
	return peft.Union(parts...)
}
