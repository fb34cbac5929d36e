package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// Device is the reference backend, or the processor with the given number of threads.
func Device(f64 bool, threads int) *tensor.Device {
	if f64 {
		return tensor.Reference()
	}
	return tensor.CPU(threads)
}

// Load attaches adapter folders to a model. What a folder lacks, or has too much, is told to people.
func Load(e Env, d *tensor.Device, m *models.Opened, dirs ...string) ([]*peft.Patch, error) {
	sites, err := peft.FindSites(d, m.Unwrap())
	if err != nil {
		return nil, err
	}
	var patches []*peft.Patch
	for _, dir := range dirs {
		q, report, err := peft.Load(sites, dir)
		if err != nil {
			return nil, err
		}
		tell(e, dir+" has no tensor for", report.Missing)
		tell(e, dir+" holds tensors that nothing uses:", report.Unexpected)
		patches = append(patches, q)
	}
	return patches, nil
}

// Labels are the names of the classes that the configurations of adapter folders hold, the last that does; nil where none does.
func Labels(dirs ...string) (names []string) {
	for _, dir := range dirs {
		var c struct{ Labels []string }
		if text, err := peft.ReadConfig(dir); err == nil && json.Unmarshal(text, &c) == nil && len(c.Labels) > 0 {
			names = c.Labels
		}
	}
	return names
}

// Info is what a saved adapter says beside its method: of which model it is, what the head is put on and what its classes are called.
func Info(folder string, m *models.Opened, labels []string) peft.Info {
	info := peft.Info{BaseModel: folder, Class: m.Class, Task: m.Task().TaskType(), Extra: map[string]any{}}
	freshPooler := slices.ContainsFunc(m.Fresh, func(name string) bool { return strings.Contains(name, ".pooler.") })
	if m.Options.Pool == models.MeanPool || m.Options.Pool == models.HeadPool && freshPooler { // else it is what a folder like this one has by itself
		info.Extra["pool"] = m.Options.Pool
	}
	if len(labels) > 0 {
		info.Extra["labels"] = labels
	}
	return info
}

func tell(e Env, what string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(e.Err, "warning: %s %s\n", what, strings.Join(names, ", "))
	}
}
