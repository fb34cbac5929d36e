package lora

import (
	"strings"

	"peft/peft"
)

// keepOriginals puts the base's own biases of modules that are saved whole into the file: a reader that trains all biases expects them there.
func keepOriginals(q *peft.Patch, save []string) {
	for f := range q.Sites().Params() {
		if m := peft.Module(f.Name, save); m != "" && strings.HasSuffix(f.Name, ".bias") {
			q.NewFixed(m+".original_module"+strings.TrimPrefix(f.Name, m), f.Values(q.Sites().Device()), f.Shape...)
		}
	}
}

// Aliases are the further keys of a parameter of the base that is trained: by other places that have it, and, of a bias that is one of all biases and in a module that is trained whole,
// that of the module's copy.
func (c Common) Aliases(q *peft.Patch, x *peft.Param) []string {
	m := peft.Module(x.Name, q.Sites().Modules(c.Save, c.Head))
	tied := q.TiedKeys(x)
	if c.Bias != AllBias || m == "" || x.Fixed || !strings.HasSuffix(x.Name, ".bias") {
		return tied
	}
	return append(tied, savedKey(m, strings.TrimPrefix(x.Name, m)))
}

// savedKey is the key of a parameter of a module's copy by its place in a model of Hugging Face PEFT. Where it lies deeper than in the module itself, the key keeps the name of the adapter, which
// that library takes out of the last place but one only.
func savedKey(module, parameter string) string {
	adapter := ""
	if strings.Count(parameter, ".") > 1 {
		adapter = ".default"
	}
	return peft.Wrapper + module + ".modules_to_save" + adapter + parameter
}
