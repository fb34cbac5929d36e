package peft

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"peft/internal/atomicfile"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// The files of an adapter folder, as Hugging Face PEFT names them.
const (
	ConfigFile  = "adapter_config.json"
	WeightsFile = "adapter_model.safetensors"
)

// Info is what the configuration of a saved patch says beside its method.
type Info struct {
	BaseModel string         // name or path of the base; may be empty
	Class     string         // of the base, as transformers names it; may be empty
	Task      string         // "SEQ_CLS", "CAUSAL_LM", …; may be empty
	Extra     map[string]any // what else a program wants to find there again
}

// Save writes a patch as a folder, in its final form: the configuration of its method and its parameters as F32. A composition becomes a folder of folders. The folder is written whole or
// not at all.
func Save(dir string, q *Patch, info Info) error {
	if c, ok := q.method.(*composition); ok {
		if err := c.save(dir, info); err != nil {
			return fmt.Errorf("peft: save: %w", err)
		}
		return nil
	}
	q, err := Collapse(q)
	if err != nil {
		return fmt.Errorf("peft: save: %w", err)
	}
	m, ok := q.method.(FileMethod)
	if !ok {
		return fmt.Errorf("peft: save: %T has no file format", q.method)
	}
	config, err := m.Config(q.sites)
	if err != nil {
		return fmt.Errorf("peft: save: %w", err)
	}
	return atomicfile.WriteDir(dir, q.folder(m, config, info).write)
}

// folder is the files of a patch: those of Hugging Face PEFT, or of AdapterHub's library.
func (q *Patch) folder(m FileMethod, config map[string]any, info Info) folder {
	if hub, ok := m.(HubMethod); ok {
		return q.hubFolder(hub.HubName(), config, info)
	}
	q.complete(config, info)
	weights := q.weights(func(*Param) string { return WeightsFile })
	if _, saves := config["modules_to_save"]; saves && config["peft_type"] != nil && slices.Contains(headedTasks, info.Task) {
		weights[WeightsFile] = append(weights[WeightsFile], q.untrainedHead(m)...)
	}
	return folder{map[string]map[string]any{ConfigFile: config}, weights}
}

// headedTasks are those for which Hugging Face PEFT wants the head in the file, whether it was trained or not, of methods that have modules to save.
var headedTasks = []string{"SEQ_CLS", "TOKEN_CLS"}

// untrainedHead is the base's own head, where the patch leaves it as it is.
func (q *Patch) untrainedHead(m FileMethod) (all []safetensors.Tensor) {
	for l := range q.sites.Linears() {
		if l.Role != Head || q.touches(l) {
			continue
		}
		for _, f := range l.Frozen() {
			if v := f.Values(q.sites.dev); v != nil && !f.Absent {
				all = append(all, safetensors.F32(m.Key(q, &Param{Name: f.Name}), f.Shape, narrow(v)))
			}
		}
	}
	return all
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// complete adds what every configuration of Hugging Face PEFT holds. The class of the base stands for a task that has no name there.
func (q *Patch) complete(config map[string]any, info Info) {
	config["inference_mode"] = true
	maps.Copy(config, info.Extra)
	for key, v := range map[string]string{"base_model_name_or_path": info.BaseModel, "task_type": info.Task} {
		config[key] = nil
		if v != "" {
			config[key] = v
		}
	}
	if t := q.sites.ModelType(); info.Task == "" && info.Class != "" && t != "" && config["peft_type"] != nil {
		config["auto_mapping"] = map[string]any{"base_model_class": info.Class, "parent_library": "transformers.models." + t + ".modeling_" + t}
	}
}

// WriteJSON writes a value as indented JSON with sorted keys, whole or not at all.
func WriteJSON(path string, v any) error {
	return atomicfile.WriteFile(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	})
}

// Keyed yields each parameter of the patch under its key in the file of its method, but for those that the file does not hold.
func (q *Patch) Keyed(yield func(key string, x *Param) bool) {
	m, ok := q.method.(interface{ Key(*Patch, *Param) string })
	for _, x := range q.params {
		key := x.Name
		if ok {
			key = m.Key(q, x)
		}
		if key != "" && !yield(key, x) {
			return
		}
	}
}

// weights are the parameters as files hold them; file says which one does.
func (q *Patch) weights(file func(*Param) string) map[string][]safetensors.Tensor {
	all := map[string][]safetensors.Tensor{}
	for key, x := range q.Keyed {
		t, name := q.AsStored(x, x.Tensor()), file(x)
		for _, k := range append([]string{q.valuesKey(x, key)}, append(q.Aliases(x), q.twins(x)...)...) {
			all[name] = append(all[name], safetensors.F32(k, t.Shape(), t.Float32s()))
		}
		all[name] = append(append(all[name], q.indices(x, key)...), q.copies(x)...)
	}
	return all
}

// AsStored is a tensor with the shape of a parameter, its value or a gradient by it, as a file holds it: turned, where the parameter takes the place of one that the checkpoint holds as
// [in out].
func (q *Patch) AsStored(x *Param, t *tensor.Tensor) *tensor.Tensor {
	if !q.transposed[x] {
		return t
	}
	return tensor.Transpose(t.Detach())
}

// Aliases are further keys under which the format of the patch's method holds a parameter.
func (q *Patch) Aliases(x *Param) []string {
	if a, ok := q.method.(interface{ Aliases(*Patch, *Param) []string }); ok {
		return a.Aliases(q, x)
	}
	return nil
}

// twins are keys under which a file holds a parameter once more for its readers' sake; unlike an alias, a twin is not the name of something trained.
func (q *Patch) twins(x *Param) []string {
	if m, ok := q.method.(interface{ Twins(*Patch, *Param) []string }); ok {
		return m.Twins(q, x)
	}
	return nil
}

// copies are what a file holds of a parameter once more in another form, for readers that look for it elsewhere too.
func (q *Patch) copies(x *Param) (all []safetensors.Tensor) {
	m, ok := q.method.(interface {
		Copies(*Patch, *Param) map[string]*tensor.Tensor
	})
	if !ok {
		return nil
	}
	for key, t := range m.Copies(q, x) {
		all = append(all, safetensors.F32(key, t.Shape(), t.Float32s()))
	}
	return all
}

// ReadConfig reads the configuration of an adapter folder.
func ReadConfig(dir string) ([]byte, error) {
	config, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		return nil, fmt.Errorf("peft: %w", err)
	}
	if !json.Valid(config) {
		return nil, fmt.Errorf("peft: %s is not JSON", filepath.Join(dir, ConfigFile))
	}
	return config, nil
}
