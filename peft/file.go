package peft

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

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
	Task      string         // "SEQ_CLS", "CAUSAL_LM", …; may be empty
	Extra     map[string]any // what else a program wants to find there again
}

// Save writes a patch as a folder: the configuration of its method and its parameters as F32. The folder is written whole or not at all.
func Save(dir string, q *Patch, info Info) error {
	m, ok := q.method.(FileMethod)
	if !ok {
		return fmt.Errorf("peft: save: %T has no file format", q.method)
	}
	config, err := m.Config(q.sites)
	if err != nil {
		return fmt.Errorf("peft: save: %w", err)
	}
	complete(config, info)
	return atomicfile.WriteDir(dir, func(tmp string) error {
		if err := WriteJSON(filepath.Join(tmp, ConfigFile), config); err != nil {
			return err
		}
		return safetensors.Write(filepath.Join(tmp, WeightsFile), q.tensors(), map[string]string{"format": "pt"})
	})
}

// complete adds what every configuration of Hugging Face PEFT holds.
func complete(config map[string]any, info Info) {
	config["inference_mode"] = true
	maps.Copy(config, info.Extra)
	for key, v := range map[string]string{"base_model_name_or_path": info.BaseModel, "task_type": info.Task} {
		config[key] = nil
		if v != "" {
			config[key] = v
		}
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

// Keyed yields each parameter of the patch under its key in the file of its method.
func (q *Patch) Keyed(yield func(key string, x *Param) bool) {
	m, ok := q.method.(FileMethod)
	for _, x := range q.params {
		key := x.Name
		if ok {
			key = m.Key(q, x)
		}
		if !yield(key, x) {
			return
		}
	}
}

// tensors are the parameters as the file holds them.
func (q *Patch) tensors() (all []safetensors.Tensor) {
	for key, x := range q.Keyed {
		t := q.AsStored(x, x.Tensor())
		all = append(all, safetensors.F32(key, t.Shape(), t.Float32s()))
		for _, alias := range q.Aliases(x) {
			all = append(all, safetensors.F32(alias, t.Shape(), t.Float32s()))
		}
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

// A Report says what became of each key of a file that was loaded.
type Report struct {
	Loaded     []string
	Missing    []string // parameters of the patch that the file does not hold; they keep their first values
	Unexpected []string // keys of the file that the patch has no parameter for
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

// Load attaches the patch that a folder holds to a model. A tensor whose shape does not fit is an error; keys that are missing or unexpected are reported, and if nothing at all
// fits that is an error too. The packages of the methods must be imported, see [Register].
func Load(s *Sites, dir string) (*Patch, Report, error) {
	config, err := ReadConfig(dir)
	if err != nil {
		return nil, Report{}, err
	}
	m, err := DecodeMethod(config)
	if err != nil {
		return nil, Report{}, fmt.Errorf("%s: %w", dir, err)
	}
	q, err := AttachTo(s, m, 0)
	if err != nil {
		return nil, Report{}, fmt.Errorf("%s: %w", dir, err)
	}
	f, err := safetensors.Open(filepath.Join(dir, WeightsFile))
	if err != nil {
		return nil, Report{}, fmt.Errorf("peft: %w", err)
	}
	defer f.Close()
	r, err := q.assign(f)
	if err != nil {
		return nil, r, fmt.Errorf("peft: load %s: %w", dir, err)
	}
	return q, r, nil
}

// assign gives the parameters the values that a file holds.
func (q *Patch) assign(f *safetensors.File) (r Report, err error) {
	used := map[string]bool{}
	for key, x := range q.Keyed {
		names := append([]string{key, strings.TrimPrefix(key, "base_model.model.")}, q.Aliases(x)...)
		i := slices.IndexFunc(names, func(n string) bool { _, ok := f.Tensor(n); return ok })
		for _, n := range names {
			used[n] = true
		}
		if i < 0 {
			r.Missing = append(r.Missing, key)
			continue
		}
		if err := q.read(x, f, names[i]); err != nil {
			return r, err
		}
		r.Loaded = append(r.Loaded, key)
	}
	for _, n := range f.Names() {
		if !used[n] {
			r.Unexpected = append(r.Unexpected, n)
		}
	}
	if len(r.Loaded) == 0 {
		return r, fmt.Errorf("no tensor of the file fits: it holds %s, expected %s", some(r.Unexpected), some(r.Missing))
	}
	return r, nil
}

// read gives a parameter the values of a tensor of a file.
func (q *Patch) read(x *Param, f *safetensors.File, key string) error {
	t, _ := f.Tensor(key)
	if shape := q.AsStored(x, x.Tensor()).Shape(); !slices.Equal(t.Shape, shape) {
		return fmt.Errorf("%s has shape %v, expected %v", key, t.Shape, shape)
	}
	v, err := t.Float64s()
	if err != nil {
		return err
	}
	if q.transposed[x] {
		v = tensor.Transpose(x.Tensor().Device().Constant(v, t.Shape...)).Float64s()
	}
	x.Tensor().Assign(v)
	return nil
}

// some lists a few names.
func some(names []string) string {
	sort.Strings(names)
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}
