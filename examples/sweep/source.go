package main

import (
	"cmp"

	"peft/examples/internal/bundle"
	"peft/examples/internal/cli"
	"peft/examples/internal/lesson"
	"peft/models"
	"peft/train"
)

// kept is of how many examples one is kept back to judge by.
const kept = 5

// open opens the model and its examples.
func (o options) open() (*models.Opened, *lesson.Lesson, error) {
	if o.model == "" {
		return embedded()
	}
	config, err := models.ReadConfig(o.model)
	if err != nil {
		return nil, nil, err
	}
	l := &lesson.Lesson{}
	task := cmp.Or(models.Task(o.task), config.HeadTask(), models.SequenceClassification)
	labels := train.NewLabels()
	labels.Max = cli.MostClasses
	if task == models.SequenceClassification && task == config.HeadTask() {
		labels.Max = config.Labels()
	}
	if err := o.read(l, task, labels); err != nil {
		return nil, nil, err
	}
	want := models.Options{Task: task, Seed: o.seed}
	if task != config.HeadTask() {
		want.Labels = max(2, labels.Count())
	}
	m, err := models.Open(o.model, want)
	if err != nil {
		return nil, nil, err
	}
	l.Model = m.Unwrap()
	return m, l, nil
}

// read reads the examples.
func (o options) read(l *lesson.Lesson, task models.Task, labels *train.Labels) (err error) {
	r := cli.Reader{Model: o.model, Task: task, Longest: o.seq, Labels: labels, Seed: o.seed}
	if l.Train, err = r.Read(o.data); err != nil {
		return err
	}
	labels.Close()
	if o.eval == "" {
		l.Train, l.Test, err = lesson.Split(l.Train, kept)
		return err
	}
	l.Test, err = r.Read(o.eval)
	return err
}

// embedded is the quickstart's model and its words, of which the test stays unseen.
func embedded() (*models.Opened, *lesson.Lesson, error) {
	b, err := bundle.Open()
	if err != nil {
		return nil, nil, err
	}
	words, err := b.Words()
	if err != nil {
		return nil, nil, err
	}
	m, err := b.Model(len(words.Classes))
	if err != nil {
		return nil, nil, err
	}
	l := &lesson.Lesson{Model: m.Unwrap()}
	l.Train, l.Test, err = lesson.Split(words.Train, kept)
	return m, l, err
}
