package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/tensor/safetensors"
	"peft/train"
)

// A dataset is what is trained and evaluated on, in tokens.
type dataset struct {
	data, eval *models.Inputs // eval may be nil
	labels     *train.Labels
	reader     *cli.Reader // of JSON lines; its task is what -task or the model say, else what the data decides
}

// readData reads -data and -eval. Where the model has a head of its own, its classes are all there are.
func readData(o options, c *models.Config) (d *dataset, err error) {
	d = &dataset{labels: train.NewLabels(knownLabels(o, c)...)}
	d.reader = &cli.Reader{
		Model: o.model, Task: cmp.Or(models.Task(o.task), c.HeadTask()), Heads: c.Tasks(), Longest: o.seq, Labels: d.labels, Seed: o.train.Seed,
	}
	d.labels.Max = cli.MostClasses
	if c.HeadTask() == models.SequenceClassification && d.reader.Task == c.HeadTask() {
		d.labels.Max = c.Labels()
	}
	if d.data, err = d.read(o.data); err != nil {
		return nil, err
	}
	d.labels.Close()
	if o.eval != "" {
		d.eval, err = d.read(o.eval)
	}
	return d, err
}

// knownLabels are the names that the classes of a head have already: those of the adapter that training goes on with, else of the model's own. Their numbers stay.
func knownLabels(o options, c *models.Config) []string {
	if o.init != "" {
		return cli.Labels(o.init)
	}
	names := c.Names()
	generic := func(name string) bool { return strings.HasPrefix(name, "LABEL_") }
	if c.HeadTask() != models.SequenceClassification || slices.ContainsFunc(names, generic) {
		return nil
	}
	return names
}

// read reads a file of either kind, which must have labels.
func (d *dataset) read(path string) (in *models.Inputs, err error) {
	if filepath.Ext(path) == ".safetensors" {
		in, err = readTensors(path)
	} else {
		in, err = d.reader.Read(path)
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

// task is the task that is asked for, else the one that the data is for: classes of sequences, or of tokens; where the model has no head for these, tokens themselves.
func (d *dataset) task() models.Task {
	switch {
	case d.reader.Task != models.NoTask:
		return d.reader.Task
	case len(d.data.Labels[0]) == 1:
		return models.SequenceClassification
	case !slices.Contains(d.reader.Heads, models.TokenClassification) && slices.Contains(d.reader.Heads, models.CausalLM):
		return models.CausalLM
	}
	return models.TokenClassification
}

// classes is how many a fresh head needs: those that the model's configuration names, or as many as the labels ask for. 0: those of another head than a classifier's.
func (d *dataset) classes(o options, task models.Task, c *models.Config) (int, error) {
	if task != models.SequenceClassification && task != models.TokenClassification {
		return 0, nil
	}
	n := max(c.Labels(), d.labels.Count(), d.data.Classes())
	if n > cli.MostClasses {
		return 0, fmt.Errorf("%s: found the label %d, must be below %d", o.data, n-1, cli.MostClasses)
	}
	return n, nil
}

// check tells which example does not suit the model before any is trained on.
func (j *job) check(o options) error {
	for path, in := range map[string]*models.Inputs{o.data: j.data, o.eval: j.eval} {
		if in == nil {
			continue
		}
		if err := j.model.Check(in, j.patch.Taken()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
