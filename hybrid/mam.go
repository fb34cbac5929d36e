package hybrid

import (
	"cmp"

	"peft/adapter"
	"peft/peft"
	"peft/prefix"
)

// MAM is the mix-and-match adapter (He et al. 2021, arXiv:2110.04366): a prefix before every attention, and beside every feed-forward network an adapter that reads what the network reads and
// whose value counts several times. Folders are those of AdapterHub's library, whose defaults the zero value has.
//
// What a part leaves at zero is as in the library; where its Activation or Gate is set, that holds.
type MAM struct {
	Name    string         // of the adapter, a part of its keys in files; empty means "mam"
	Prefix  prefix.Hub     // by default 30 rows, made by an MLP of width 800
	Adapter adapter.Config // by default that of adapter.Parallel: half as wide as the stream, factor 4
	Head    bool           // train the model's head whole
}

// Attach attaches both parts.
func (c MAM) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	return c.Recipe().Attach(s, rng)
}

// Recipe is the union of the parts.
func (c MAM) Recipe() peft.Method {
	name := cmp.Or(c.Name, "mam")
	p, a := c.Prefix, c.Adapter
	p.Name, p.Tokens, p.Hidden, p.Head = name, cmp.Or(p.Tokens, 30), cmp.Or(p.Hidden, 800), c.Head
	a.Name, a.Head, a.Input, a.Init = name, c.Head, adapter.Stream, adapter.Zero
	a.Reduction = cmp.Or(a.Reduction, adapter.Parallel().Reduction)
	if a.Scaling == adapter.Fixed {
		a.Scale = cmp.Or(a.Scale, adapter.Parallel().Scale)
	}
	return peft.Union(p, a)
}
