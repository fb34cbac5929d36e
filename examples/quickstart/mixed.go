package main

import (
	"fmt"
	"text/tabwriter"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
	"peft/tensor"
)

// mixed answers one batch of words and sentences in turn: one pass over the frozen base, in which each row goes through its own task's patch.
func mixed(e cli.Env, d *tensor.Device, words, era *task, patches ...*peft.Patch) error {
	const each = 3
	tasks := []*task{words, era}
	var sequences []models.Sequence
	var route []int
	for i := range each * len(tasks) {
		t := i % len(tasks)
		sequences = append(sequences, models.Sequence{IDs: tasks[t].test.IDs[i/len(tasks)]})
		route = append(route, t)
	}
	b, err := models.Pack(words.model.Unwrap(), sequences...)
	if err != nil {
		return err
	}
	p := peft.With(d, patches...).NoGrad().Route(route)
	defer p.Close()
	features := words.model.Unwrap().(models.Classifier).Features(p, b)
	var logits []*tensor.Tensor
	for _, t := range tasks {
		logits = append(logits, t.model.Unwrap().(models.Classifier).Classify(p, features))
	}
	fmt.Fprintln(e.Out, "\nOne mixed batch, each row through its own task's adapter:")
	w := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	for i, t := range route {
		tasks[t].explain(w, i/len(tasks), logits[t].Float64s()[i*logits[t].Cols():(i+1)*logits[t].Cols()])
	}
	return w.Flush()
}

// explain prints the answer for a test example.
func (t *task) explain(w *tabwriter.Writer, example int, logits []float64) {
	best := 0
	for j, x := range logits {
		if x > logits[best] {
			best = j
		}
	}
	text, truth := t.texts[example], t.classes[t.test.Labels[example][0]]
	if len(text) > 60 {
		text = text[:57] + "..."
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t(truth: %s)\n", t.name, text, t.classes[best], truth)
}
