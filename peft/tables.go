package peft

import (
	"fmt"
	"slices"
	"strings"
)

// InputEmbedding is the embedding with the most rows: that of the vocabulary.
func (s *Sites) InputEmbedding() (largest *Embedding, err error) {
	for x := range s.All() {
		if e, ok := x.(*Embedding); ok && (largest == nil || e.Num > largest.Num) {
			largest = e
		}
	}
	if largest == nil {
		err = fmt.Errorf("peft: the model has no embedding")
	}
	return largest, err
}

// Tables are the names by which Hugging Face PEFT knows input and output embeddings.
var Tables = []string{"embed_tokens", "lm_head"}

// isTable reports whether a site is named as one of [Tables] is.
func isTable(x Site) bool { return slices.Contains(Tables, lastPart(x.Name())) }

func lastPart(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// KeepTables puts the base's own tables of adapted input and output embeddings into the file of a patch, as Hugging Face PEFT does where target_modules names one of [Tables], or is a pattern of
// one.
func (t Targeted) KeepTables(method string, q *Patch, adapted []Site) error {
	targets, err := TargetsOf(t.Selection(method, q.sites), q.sites)
	if err != nil {
		return err
	}
	named := slices.ContainsFunc(Tables, func(n string) bool { return slices.Contains(targets.Modules.List, n) })
	if !named && (targets.Modules.Pattern == "" || !slices.ContainsFunc(adapted, isTable)) {
		return nil
	}
	input, _ := q.sites.InputEmbedding()
	for _, x := range adapted {
		if e, ok := x.(*Embedding); isTable(x) || ok && e == input {
			f := x.Frozen()[0]
			q.NewFixed(x.Name()+".base_layer.weight", f.Values(q.sites.dev), f.Shape...)
		}
	}
	return nil
}
