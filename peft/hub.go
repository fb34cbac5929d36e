package peft

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"peft/tensor/safetensors"
)

// The files of an adapter folder, as AdapterHub's library adapters names them. Its configuration is called [ConfigFile] too, and the model's head stands in files of its own.
const (
	HubWeightsFile    = "adapter.safetensors"
	HubHeadFile       = "model_head.safetensors"
	HubHeadConfigFile = "head_config.json"
)

// hubVersion is the version of the library whose folders are written.
const hubVersion = "adapters.1.3.0"

// A HubMethod is a FileMethod whose folders are those of AdapterHub's library. Its Config is what stands under "config" in [ConfigFile].
type HubMethod interface {
	FileMethod
	// HubName is the name of the adapter, which is a part of its keys.
	HubName() string
}

// A HubConfig is the [ConfigFile] of a folder of AdapterHub's library. Decoders that are registered under [HubFormat] find one.
type HubConfig struct {
	Config  json.RawMessage `json:"config"`  // the method's own fields
	Name    string          `json:"name"`    // of the adapter, a part of its keys
	Version string          `json:"version"` // "adapters.…"; empty in files of old
	Head    bool            `json:"head"`    // train the model's head as well
}

// HubFormat is the name under which decoders of AdapterHub's configurations are registered: those with the given "architecture", which is empty for bottleneck adapters.
func HubFormat(architecture string) string { return hubPrefix + cmp.Or(architecture, "bottleneck") }

// hubPrefix is what the names of AdapterHub's architectures begin with.
const hubPrefix = "AdapterHub/"

// hubFolder is the files of a patch as AdapterHub's library reads them.
func (q *Patch) hubFolder(name string, config map[string]any, info Info) folder {
	f := folder{
		configs: map[string]map[string]any{ConfigFile: q.sites.hubConfig(info)},
		weights: q.weights(q.sites.hubFile(HubWeightsFile)),
	}
	maps.Copy(f.configs[ConfigFile], map[string]any{"config": q.sayAgain(config, name), "name": name})
	if len(f.weights[HubHeadFile]) > 0 {
		f.configs[HubHeadConfigFile] = q.sites.hubHead(f.weights[HubHeadFile], info)
	}
	return f
}

// hubConfig is what every configuration of AdapterHub's library says about the model.
func (s *Sites) hubConfig(info Info) map[string]any {
	class := info.Class
	if class == "" {
		class = reflect.Indirect(reflect.ValueOf(s.model)).Type().Name()
	}
	c := maps.Clone(info.Extra)
	if c == nil {
		c = map[string]any{}
	}
	maps.Copy(c, map[string]any{
		"hidden_size": s.width(), "model_class": class, "model_name": info.BaseModel, "model_type": s.ModelType(), "version": hubVersion,
	})
	if info.Task != "" {
		c["task_type"] = info.Task
	}
	return c
}

// hubHead is the configuration of a head. Its classes are named as the program names them, or by their numbers.
func (s *Sites) hubHead(weights []safetensors.Tensor, info Info) map[string]any {
	classes := classless
	for l := range s.Linears() {
		if l.Role == Head && l.IsHead {
			classes = l.Out
		}
	}
	config := s.hubConfig(Info{BaseModel: info.BaseModel, Class: info.Class})
	ids := labelIDs(classes, info)
	if m, ok := s.model.(interface {
		HubHead() (name string, config map[string]any)
	}); ok { // a head that the library builds itself
		name, own := m.HubHead()
		own["label2id"] = ids
		maps.Copy(config, map[string]any{"config": own, "name": name})
		return config
	}
	maps.Copy(config, map[string]any{"config": nil, "name": nil, "label2id": ids, "num_labels": classes})
	return config
}

// classless is how many classes Hugging Face's configuration of a model says that has none.
const classless = 2

// labelIDs are the numbers of classes by their names.
func labelIDs(classes int, info Info) map[string]int {
	names, _ := info.Extra["labels"].([]string)
	ids := map[string]int{}
	for i := range classes {
		if len(names) == classes {
			ids[names[i]] = i
		} else {
			ids["LABEL_"+strconv.Itoa(i)] = i
		}
	}
	return ids
}

// head are the parameters of the model's head, by name.
func (s *Sites) head() map[string]*Frozen {
	all := map[string]*Frozen{}
	for l := range s.Linears() {
		for _, f := range l.Frozen() {
			if l.Role == Head {
				all[f.Name] = f
			}
		}
	}
	return all
}

// width is the size of the residual stream, 0 if the model has no sublayers.
func (s *Sites) width() int {
	for x := range s.Sublayers() {
		return x.Size
	}
	return 0
}

// hubDecoder is the name under which the decoder of a configuration of AdapterHub's library is registered; empty if the configuration is none.
func hubDecoder(config json.RawMessage) (string, error) {
	if len(config) == 0 {
		return "", nil
	}
	var inner struct {
		Architecture string `json:"architecture"`
	}
	if err := json.Unmarshal(config, &inner); err != nil {
		return "", fmt.Errorf("config: %w", err)
	}
	return HubFormat(inner.Architecture), nil
}

// prefixes are what the names of a model's base begin with in models that have a head, by model type.
var prefixes = map[string]string{
	"bert": "bert.", "roberta": "roberta.", "xlm-roberta": "roberta.", "distilbert": "distilbert.", "vit": "vit.", "gpt2": "transformer.",
	"llama": "model.", "mistral": "model.", "qwen2": "model.", "gemma": "model.", "bart": "model.", "mbart": "model.",
}

// HubPrefix is what the names of the model's base begin with, which stands before what an adapter of AdapterHub's library has once for the whole model; empty in a model without a head.
func (s *Sites) HubPrefix() string {
	for x := range s.Sublayers() {
		if p := prefixes[s.ModelType()]; strings.HasPrefix(x.Name(), p) {
			return p
		}
		break
	}
	return ""
}
