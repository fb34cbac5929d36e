package main

import "regexp"

// A method is one that is tried, with the learning rate that finetune has for it.
type method struct {
	name   string // as for finetune's -method
	fields string // of its configuration, where those that it has by itself do not fit this model
}

// spec is the configuration.
func (m method) spec() string {
	if m.fields == "" {
		return `{"method":"` + m.name + `"}`
	}
	return `{"method":"` + m.name + `",` + m.fields + `}`
}

const (
	queryValue = `"target_modules":["query","value"]`
	firstRow   = `"prefix_positions":1` // the one that a classifier reads; edits that begin at random do harm elsewhere
)

// families are all methods, by what they train.
var families = []struct {
	name    string
	methods []method
}{
	{"baselines", []method{{"head", ""}, {"last", ""}, {"full", ""}}},
	{"LoRA and its kin", []method{
		{"lora", ""}, {"dora", ""}, {"adalora", ""}, {"vera", ""}, {"loha", ""}, {"lokr", ""}, {"hira", queryValue}, {"miss", ""}, {"randlora", ""}, {"vblora", `"vector_length":128`},
		{"delora", queryValue}, {"gralora", queryValue}, {"fourierft", ""}, {"c3a", `"block_size":128`}, {"oft", ""}, {"boft", ""}, {"hra", ""},
	}},
	{"scales and rotations of activations", []method{{"ia3", ""}, {"road", ""}, {"beft", ""}, {"loreft", ""}, {"noreft", firstRow}, {"direft", firstRow}}},
	{"adapters", []method{
		{"adapter", ""}, {"houlsby", ""}, {"parallel", ""}, {"scaled_parallel", ""}, {"compacter", ""}, {"compacter++", ""}, {"pfeiffer+inv", ""}, {"adapter_plus", ""},
	}},
	{"prefixes and prompts", []method{{"prefix", ""}, {"prefix_tuning", `"prefix_length":10,"bottleneck_size":64`}, {"p_tuning_v2", ""}, {"prefix_tuning_flat", ""}, {"prompt", ""}, {"p_tuning", ""}, {"multitask_prompt_tuning", ""}}},
	{"selections", []method{{"bitfit", ""}, {"ln_tuning", ""}, {"fish", ""}, {"shira", ""}}},
	{"hybrids", []method{{"mam", ""}, {"unipelt", ""}, {"adamix", ""}}},
}

// A row is what a method came to.
type row struct {
	family string
	method
	Trainable int     `json:"trainable"`
	Percent   float64 `json:"percent"`
	Accuracy  float64 `json:"eval_accuracy"`

	rate    float64  // learning rate
	pytorch *float64 // accuracy of the same method in PyTorch, which was asked only where need be
}

// chosen are rows for the methods whose names match.
func chosen(only *regexp.Regexp) (rows []row) {
	for _, f := range families {
		for _, m := range f.methods {
			if only.MatchString(m.name) {
				rows = append(rows, row{family: f.name, method: m})
			}
		}
	}
	return rows
}
