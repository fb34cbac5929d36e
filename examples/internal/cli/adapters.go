package cli

import (
	"fmt"
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

func tell(e Env, what string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(e.Err, "warning: %s %s\n", what, strings.Join(names, ", "))
	}
}
