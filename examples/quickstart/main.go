// Command quickstart fine-tunes a real pre-trained BERT on two real tasks, with nothing but what is embedded in it.
//
//	go run ./examples/quickstart
//
// It learns to tell how many syllables a word has in several ways, prints them side by side and draws their accuracy while learning; then teaches the same frozen model a second task, and
// answers one mixed batch in which each row goes through its own task's adapter.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"peft/examples/internal/cli"
	"peft/tensor"
)

func main() { cli.Main(run) }

func run(ctx context.Context, e cli.Env, args []string) error {
	f := cli.Flags(e, "quickstart", "quickstart [-json] [-steps N]: fine-tune a real model on two real tasks.")
	asJSON := f.Bool("json", false, "print a line of JSON for each method and task")
	steps := f.Int("steps", 0, "end each training after so many steps; 0: after all epochs")
	threads := f.Int("threads", 0, "number of threads; 0: one for each processor")
	picture := f.String("picture", "quickstart.png", "`file` to draw the training curves to; empty: none")
	if err := cli.Parse(f, args); err != nil {
		return err
	}
	if *steps < 0 {
		return fmt.Errorf("quickstart: -steps is %d, expected 0 or more", *steps)
	}
	return tensor.Try(func() error {
		rows, err := all(ctx, e, tensor.CPU(*threads), *steps, *asJSON)
		if err != nil || *picture == "" {
			return err
		}
		if err := draw(*picture, rows); err != nil {
			return err
		}
		fmt.Fprintf(e.Err, "the training curves are in %s\n", *picture)
		return nil
	})
}

// all teaches both tasks, prints the table and answers the mixed batch.
func all(ctx context.Context, e cli.Env, d *tensor.Device, steps int, asJSON bool) (rows []row, err error) {
	words, era, err := openBundle()
	if err != nil {
		return nil, err
	}
	teach := func(t *task, c contender) (row, error) {
		fmt.Fprintf(e.Err, "\n%s (%s) by %s\n", t.name, t.about, c.name)
		r, err := learn(ctx, e, d, t, c, steps)
		if err == nil && asJSON {
			err = json.NewEncoder(e.Out).Encode(r)
		}
		return r, err
	}
	var best row // LoRA on the words, for the mixed batch
	for _, c := range contenders {
		r, err := teach(words, c)
		if err != nil {
			return nil, err
		}
		if c.name == "lora" {
			best = r
		}
		rows = append(rows, r)
	}
	second, err := teach(era, contender{"lora", "reparameterised", loraQV, 2e-3, 3})
	if err != nil {
		return nil, err
	}
	rows = append(rows, second)
	if asJSON {
		return rows, nil
	}
	if err := table(e, rows); err != nil {
		return nil, err
	}
	return rows, mixed(e, d, words, era, best.patch, second.patch)
}

// table prints how the contenders did.
func table(e cli.Env, rows []row) error {
	w := tabwriter.NewWriter(e.Out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\ntask\tmethod\tfamily\ttrained\t% of model\taccuracy\tseconds\tadapter file\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.3f\t%.1f %%\t%.1f\t%s kB\t\n",
			r.Task, r.Method, r.Family, cli.Count(r.Trainable), r.Percent, 100*r.Accuracy, r.Seconds, cli.Count(int(r.FileBytes+512)/1024))
	}
	return w.Flush()
}
