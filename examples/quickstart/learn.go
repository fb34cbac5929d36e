package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"peft/examples/internal/bundle"
	"peft/examples/internal/cli"
	"peft/examples/internal/lesson"
	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/train"
)

// A student is a model that learns a task by one method. Every one has its own device, which counts its memory; the bytes of the base are the same for all.
type student struct {
	task  *bundle.Task
	model *models.Opened
	dev   *tensor.Device
	patch *peft.Patch // what was learned
}

func newStudent(b *bundle.Bundle, t *bundle.Task, threads int) (*student, error) {
	m, err := b.Model(len(t.Classes))
	return &student{task: t, model: m, dev: tensor.CPU(threads)}, err
}

// A row is how one contender did on one task.
type row struct {
	Task      string  `json:"task"`
	Method    string  `json:"method"`
	Family    string  `json:"family"`
	Trainable int     `json:"trainable"`
	Total     int     `json:"total"`
	Percent   float64 `json:"percent"`
	Accuracy  float64 `json:"accuracy"`
	Loss      float64 `json:"loss"`
	Seconds   float64 `json:"seconds"`
	FileBytes int64   `json:"file_bytes"`

	peak  int64 // bytes of tensors at once, beside the base
	curve []train.Eval
}

// teach teaches the student its task by a contender's method.
func (s *student) teach(ctx context.Context, e cli.Env, c contender, o options) (r row, err error) {
	fmt.Fprintf(e.Err, "\n%s (%s) by %s\n", s.task.Name, s.task.About, c.name)
	start := time.Now()
	evals, err := s.learn(ctx, e, c, o)
	if err != nil {
		return r, err
	}
	last, sum := evals[len(evals)-1], s.patch.Summary()
	r = row{
		Task: s.task.Name, Method: c.name, Family: c.family, Trainable: sum.Trainable, Total: sum.Total, Percent: sum.Percent(),
		Accuracy: last.Accuracy, Loss: last.Loss, Seconds: time.Since(start).Seconds(), curve: evals,
	}
	_, r.peak = s.dev.Memory()
	if r.FileBytes, err = fileBytes(s.patch); err != nil {
		return r, err
	}
	return r, report(e, o, r)
}

// learn attaches the method and trains it.
func (s *student) learn(ctx context.Context, e cli.Env, c contender, o options) (evals []train.Eval, err error) {
	sites, err := peft.FindSites(s.dev, s.model.Unwrap())
	if err != nil {
		return nil, err
	}
	l := &lesson.Lesson{Model: s.model.Unwrap(), Train: s.task.Train, Test: lesson.First(s.task.Test, o.test)}
	if _, frozen := c.method.(peft.Heads); frozen {
		if l, err = l.Frozen(ctx, s.dev); err != nil {
			return nil, err
		}
	}
	if s.patch, err = l.Attach(ctx, sites, c.method, seed); err != nil {
		return nil, err
	}
	total := c.steps(s.task.Train.Len(), o.steps)
	result, err := train.Run(ctx, l.Job(s.patch), train.Config{
		Steps: total, Batch: batch, LR: c.rate, Rule: lesson.Rule(s.patch, c.rate), Warmup: warmup, Clip: clip, Seed: seed,
		EvalEvery: max(1, total/looks), Progress: e.Err,
	})
	return result.Evals, err
}

// fileBytes is the size of a patch's file.
func fileBytes(q *peft.Patch) (int64, error) {
	dir, err := os.MkdirTemp("", "quickstart-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := peft.Save(filepath.Join(dir, "adapter"), q, peft.Info{}); err != nil {
		return 0, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "adapter", "*.safetensors"))
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}
