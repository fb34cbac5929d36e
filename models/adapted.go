package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"peft/peft"
	"peft/tensor/safetensors"
)

// For is the options with which a model folder suits adapter folders, which must agree: the class of model they were trained on, the number of its classes, the way it pools.
func For(adapters ...string) (o Options, err error) {
	var all []string
	for _, a := range adapters {
		folders, err := peft.Folders(a)
		if err != nil {
			return o, err
		}
		all = append(all, folders...)
	}
	for i, a := range all {
		next, err := forOne(a)
		if err != nil {
			return o, err
		}
		if next.Labels == 0 {
			next.Labels = o.Labels
		}
		if i > 0 && o.Labels == 0 {
			o.Labels = next.Labels
		}
		if i > 0 && next != o {
			return o, fmt.Errorf("models: %s is for a model %v, %s for one %v", all[i-1], o, a, next)
		}
		o = next
	}
	return o, nil
}

func forOne(adapter string) (o Options, err error) {
	text, err := peft.ReadConfig(adapter)
	if err != nil {
		return o, err
	}
	var c struct {
		TaskType string `json:"task_type"`
		Pool     Pool   `json:"pool"`
		Class    string `json:"model_class"` // AdapterHub's field
		Auto     struct {
			Class string `json:"base_model_class"`
		} `json:"auto_mapping"`
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return o, fmt.Errorf("models: %s: %w", filepath.Join(adapter, peft.ConfigFile), err)
	}
	o = Options{Task: tasks[c.TaskType], Pool: c.Pool, Class: c.Auto.Class, Headless: c.TaskType == "FEATURE_EXTRACTION"}
	if o.Flexible, err = flexibleHead(adapter); err != nil {
		return o, err
	}
	if o.Flexible.Layers > 0 {
		o.Class, o.Labels = c.Class, o.Flexible.Labels
		return o, nil
	}
	if isClass(c.Class) && !isFlexible(c.Class) {
		o.Class = c.Class
	}
	o.Labels, err = labels(adapter)
	return o, err
}

// isClass reports whether some family has a class of that name.
func isClass(name string) bool {
	for _, f := range families {
		for _, a := range f.architectures {
			if a.name == name {
				return true
			}
		}
	}
	return false
}

// tasks are those that Hugging Face PEFT names.
var tasks = map[string]Task{"SEQ_CLS": SequenceClassification, "TOKEN_CLS": TokenClassification, "CAUSAL_LM": CausalLM}

// TaskType is the name of a task in files of Hugging Face PEFT; empty where it has none.
func (t Task) TaskType() string {
	for name, task := range tasks {
		if task == t {
			return name
		}
	}
	return ""
}

// labels is the number of classes of the head that an adapter folder holds, 0 if it holds none.
func labels(adapter string) (int, error) {
	for _, file := range []string{peft.WeightsFile, peft.HubHeadFile} {
		n, err := labelsIn(filepath.Join(adapter, file))
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

func labelsIn(file string) (int, error) {
	f, err := safetensors.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("models: %w", err)
	}
	defer f.Close()
	for t := range f.All() {
		for _, head := range []string{"classifier.weight", "classifier.out_proj.weight", "score.weight"} {
			if strings.HasSuffix("."+t.Name, "."+head) && len(t.Shape) == 2 {
				return t.Shape[0], nil
			}
		}
	}
	return 0, nil
}

// OpenFor opens a model folder so that it suits adapter folders, see [For].
func OpenFor(dir string, adapters ...string) (*Opened, error) {
	o, err := For(adapters...)
	if err != nil {
		return nil, err
	}
	return Open(dir, o)
}
