package main

import (
	"cmp"
	"fmt"
	"path/filepath"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/tensor/safetensors"
	"peft/train"
)

// A dataset is what is trained and evaluated on, in tokens.
type dataset struct {
	data, eval *models.Inputs // eval may be nil
	labels     *train.Labels
	asked      models.Task // what -task or the model say; empty where the data decides
}

// readData reads -data and -eval. Where the model has a head of its own, its classes are all there are.
func readData(o options, c *models.Config) (d *dataset, err error) {
	d = &dataset{labels: train.NewLabels(), asked: cmp.Or(models.Task(o.task), c.HeadTask())}
	if c.HeadTask() == models.SequenceClassification && d.asked == c.HeadTask() {
		d.labels.Max = c.Labels()
	}
	if d.data, err = d.read(o.data, o); err != nil {
		return nil, err
	}
	d.labels.Close()
	if o.eval != "" {
		d.eval, err = d.read(o.eval, o)
	}
	return d, err
}

// read reads a file of either kind, which must have labels.
func (d *dataset) read(path string, o options) (in *models.Inputs, err error) {
	if filepath.Ext(path) == ".safetensors" {
		in, err = readTensors(path)
	} else {
		in, err = cli.Reader{Model: o.model, Task: d.asked, Longest: o.seq, Labels: d.labels, Seed: o.train.Seed}.Read(path)
	}
	if err == nil && in.Labels == nil {
		err = fmt.Errorf("%s: found no labels, which training needs", path)
	}
	return in, err
}

func readTensors(path string) (*models.Inputs, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in, err := models.ReadInputs(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return in, nil
}

// task is the task that is asked for, else the one that the data is for: classes of sequences, or of tokens.
func (d *dataset) task() models.Task {
	if d.asked != models.NoTask {
		return d.asked
	}
	if len(d.data.Labels[0]) > 1 {
		return models.TokenClassification
	}
	return models.SequenceClassification
}
