package lora

import (
	"slices"
	"strings"

	"peft/peft"
)

// embeddings are the names by which Hugging Face PEFT knows input and output embeddings.
var embeddings = []string{"embed_tokens", "lm_head"}

// keepEmbeddings puts the base's own tables of adapted embeddings into the file, as Hugging Face PEFT does where target_modules names one of them.
func keepEmbeddings(q *peft.Patch, chosen peft.Selection, sites []peft.Site) error {
	t, err := peft.TargetsOf(chosen, q.Sites())
	named := func(n string) bool {
		return slices.Contains(t.Modules.List, n) || strings.Contains(t.Modules.Pattern, n)
	}
	if err != nil || !slices.ContainsFunc(embeddings, named) {
		return err
	}
	for _, x := range sites {
		if path := strings.Split(x.Name(), "."); slices.Contains(embeddings, path[len(path)-1]) {
			f := x.Frozen()[0]
			q.NewFixed(x.Name()+".base_layer.weight", f.Values(q.Sites().Device()), f.Shape...)
		}
	}
	return nil
}

// keepOriginals puts the base's own biases of modules that are saved whole into the file: a reader that trains all biases expects them there.
func keepOriginals(q *peft.Patch, save []string) {
	for f := range q.Sites().Params() {
		if m := peft.Module(f.Name, save); m != "" && strings.HasSuffix(f.Name, ".bias") {
			q.NewFixed(m+".original_module"+strings.TrimPrefix(f.Name, m), f.Values(q.Sites().Device()), f.Shape...)
		}
	}
}

// Aliases are the further keys of a bias that is trained twice over: as one of all biases, and with its module. The file holds it under both.
func (c Common) Aliases(q *peft.Patch, x *peft.Param) []string {
	m := peft.Module(x.Name, q.Sites().Modules(c.Save, c.Head))
	if c.Bias != AllBias || m == "" || x.Fixed || !strings.HasSuffix(x.Name, ".bias") {
		return nil
	}
	return []string{peft.Wrapper + m + ".modules_to_save" + strings.TrimPrefix(x.Name, m)}
}
