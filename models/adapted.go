package models

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"peft/internal/plainjson"
	"peft/peft"
	"peft/tensor/safetensors"
)

// For is the options with which a model folder suits adapter folders, which must agree: the class of model they were trained on, the number of its classes, the way it pools. What one leaves
// open another may say.
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
		both, ok := o.join(next)
		if i > 0 && !ok {
			return o, fmt.Errorf("models: %s is for %v, %s for %v", strings.Join(all[:i], ", "), o, a, next)
		}
		if o = next; i > 0 {
			o = both
		}
	}
	return o, nil
}

// join is the options that suit both, if there are any.
func (o Options) join(p Options) (Options, bool) {
	both := Options{
		Task: cmp.Or(o.Task, p.Task), Class: cmp.Or(o.Class, p.Class), Headless: o.Headless, Labels: cmp.Or(o.Labels, p.Labels), Pool: cmp.Or(o.Pool, p.Pool), Flexible: o.Flexible, Layers: o.Layers,
	}
	agree := func(x Options) bool {
		return (x.Class == "" || x.Class == both.Class) && (x.Labels == 0 || x.Labels == both.Labels) && (x.task() == NoTask || x.task() == both.task()) &&
			x.Pool == both.Pool && x.Headless == both.Headless && x.Flexible == both.Flexible &&
			slices.Equal(x.Layers, both.Layers)
	}
	return both, agree(o) && agree(p)
}

// task is the one that is asked for, by itself or by the class.
func (o Options) task() Task {
	for _, f := range families {
		for _, a := range f.architectures {
			if o.Class != "" && a.name == o.Class {
				return a.task
			}
		}
	}
	return o.Task
}

// String says what is asked for in a few words.
func (o Options) String() string {
	what := "a model " + cmp.Or(o.Class, "as its folder says")
	if o.Class == "" && o.Task != NoTask {
		what = "the task " + string(o.Task)
	}
	if o.Headless {
		what = "a model without a head"
	}
	if o.Layers != nil {
		what += fmt.Sprintf(" with the layers %v", o.Layers)
	}
	if o.Labels > 0 {
		what += fmt.Sprintf(" of %d classes", o.Labels)
	}
	if o.Pool == MeanPool {
		what += " on the mean"
	}
	if o.Flexible.Layers > 0 {
		what += fmt.Sprintf(" with the head %q", o.Flexible.Name)
	}
	return what
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
		return o, fmt.Errorf("models: %s: %w", filepath.Join(adapter, peft.ConfigFile), plainjson.Error(err))
	}
	layers, err := layersOf(text)
	if err != nil {
		return o, fmt.Errorf("models: %s: %w", filepath.Join(adapter, peft.ConfigFile), plainjson.Error(err))
	}
	o = Options{Layers: layers, Task: tasks[c.TaskType], Pool: c.Pool, Class: c.Auto.Class, Headless: c.TaskType == "FEATURE_EXTRACTION"}
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
