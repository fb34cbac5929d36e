package main

import (
	"fmt"
	"text/tabwriter"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// mixed answers one batch of the students' tasks in turn: one pass over the frozen base that they share, in which each row goes through its own task's patch.
func mixed(e cli.Env, students ...*student) error {
	const each = 3
	var sequences []models.Sequence
	var route []int
	var patches []*peft.Patch
	for _, s := range students {
		patches = append(patches, s.patch)
	}
	for i := range each * len(students) {
		t := i % len(students)
		sequences = append(sequences, models.Sequence{IDs: students[t].task.Test.IDs[i/len(students)]})
		route = append(route, t)
	}
	base := students[0].model.Unwrap().(models.Classifier)
	b, err := models.Pack(base, sequences...)
	if err != nil {
		return err
	}
	p := peft.With(students[0].dev, patches...).NoGrad().Route(route)
	defer p.Close()
	features := base.Features(p, b)
	var logits []*tensor.Tensor
	for _, s := range students {
		logits = append(logits, s.model.Unwrap().(models.Classifier).Classify(p, features))
	}
	fmt.Fprintln(e.Out, "\nOne mixed batch, each row through its own task's adapter:")
	w := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	for i, t := range route {
		students[t].explain(w, i/len(students), logits[t].Float64s()[i*logits[t].Cols():(i+1)*logits[t].Cols()])
	}
	return w.Flush()
}

// explain prints the answer for a test example.
func (s *student) explain(w *tabwriter.Writer, example int, logits []float64) {
	best := 0
	for j, x := range logits {
		if x > logits[best] {
			best = j
		}
	}
	t := s.task
	text, truth := t.Texts[example], t.Classes[t.Test.Labels[example][0]]
	if len(text) > 60 {
		text = text[:57] + "..."
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t(truth: %s)\n", t.Name, text, t.Classes[best], truth)
}
