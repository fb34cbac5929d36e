package lora

import (
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// tiedTo are the linear maps whose matrix is an embedding's table: the head of a language model, often.
func tiedTo(s *peft.Sites, e *peft.Embedding) (all []*peft.Linear) {
	for l := range s.Linears() {
		if l.W == e.W {
			all = append(all, l)
		}
	}
	return all
}

// savesEmbedding reports whether an input or output embedding is among the modules that are trained whole, by the names that Hugging Face PEFT knows.
func (c Config) savesEmbedding() bool {
	return slices.ContainsFunc(c.Save, func(module string) bool {
		return slices.Contains(peft.Tables, module[strings.LastIndexByte(module, '.')+1:])
	})
}

// untied are the chosen sites but for maps that follow an embedding among them.
func (c Config) untied(s *peft.Sites, sites []peft.Site) ([]peft.Site, error) {
	if !c.Tie {
		return sites, nil
	}
	shared := map[peft.Site]peft.Site{}
	for x := range s.All() {
		if e, ok := x.(*peft.Embedding); ok {
			for _, l := range tiedTo(s, e) {
				shared[l] = e
			}
		}
	}
	for _, x := range sites {
		if e := shared[x]; e != nil && !slices.Contains(sites, e) {
			return nil, fmt.Errorf("lora: %s is tied to %s, which must be chosen too where Tie is set", x.Name(), e.Name())
		}
	}
	return slices.DeleteFunc(slices.Clone(sites), func(x peft.Site) bool { return shared[x] != nil }), nil
}

// withTied are sites and those that follow them.
func (c Config) withTied(s *peft.Sites, sites []peft.Site) []peft.Site {
	all := slices.Clone(sites)
	for _, x := range sites {
		if e, ok := x.(*peft.Embedding); ok && c.Tie {
			for _, l := range tiedTo(s, e) {
				all = append(all, l)
			}
		}
	}
	return all
}

// addEmbedding lets an update act where the embedding looks rows up, or for the table itself wherever that is used.
func (c Config) addEmbedding(q *peft.Patch, e *peft.Embedding, d *embedding) {
	if c.Tie && len(tiedTo(q.Sites(), e)) > 0 {
		q.Substitute(e.W, d)
		return
	}
	q.Add(e, peft.Out, d)
}

// Value is W + s·(B·A)ᵀ, for all places of a table.
func (d *embedding) Value(p *peft.Pass, _ *peft.Frozen, base tensor.Map) tensor.Map {
	return lessened{base, tensor.Transpose(d.B.In(p)), tensor.Transpose(d.A.In(p)), -d.scale}
}

// Copies are the factors of an embedding's update as those of the linear maps that are tied to it: files of Hugging Face PEFT hold them for each.
func (c Config) Copies(q *peft.Patch, x *peft.Param) map[string]*tensor.Tensor {
	site, field, _ := strings.Cut(x.Name, "/")
	e, ok := q.Sites().Find(site).(*peft.Embedding)
	if !ok || !c.Tie {
		return nil
	}
	as := map[string]string{"lora_embedding_A": "lora_B", "lora_embedding_B": "lora_A"}[field]
	all := map[string]*tensor.Tensor{}
	for _, l := range tiedTo(q.Sites(), e) {
		if as != "" {
			all[peft.Wrapper+l.Name()+"."+as+".weight"] = tensor.Transpose(x.Tensor().Detach())
		}
	}
	return all
}
