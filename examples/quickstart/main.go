// Command quickstart fine-tunes a real pre-trained BERT on two real tasks, with nothing but what is embedded in it.
//
//	go run ./examples/quickstart
//
// It learns to tell how many syllables a word has by every family of methods, beside full fine-tuning and a frozen model with a trained head, prints them side by side and draws what they
// reach with how few parameters; then teaches the same frozen model a second task, and answers one mixed batch in which each row goes through its own task's adapter.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"peft/examples/internal/bundle"
	"peft/examples/internal/cli"
	"peft/examples/internal/figure"
	"peft/tensor"
)

func main() { cli.Main(run) }

// options are the flags.
type options struct {
	json                 bool
	steps, test, threads int
	picture              string
	contenders           []contender
}

func run(ctx context.Context, e cli.Env, args []string) error {
	f := cli.Flags(e, "quickstart", "quickstart [-json] [-steps N]: fine-tune a real model on two real tasks.")
	var o options
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each method and task")
	f.IntVar(&o.steps, "steps", 0, "end each training after so many steps; 0: after all epochs")
	f.IntVar(&o.test, "test", 0, "judge by so many of the held-out examples; 0: by all")
	f.IntVar(&o.threads, "threads", 0, "number of threads; 0: one for each processor")
	f.StringVar(&o.picture, "picture", "quickstart.png", "`file` to draw what was learned to; empty: none")
	methods := f.String("methods", "", "`names` of the methods that learn the words, with commas, lora always among them; empty: all")
	if err := cli.Parse(f, args); err != nil {
		return err
	}
	var err error
	if o.contenders, err = choose(*methods); err != nil {
		return err
	}
	if o.steps < 0 || o.test < 0 {
		return fmt.Errorf("quickstart: -steps is %d and -test %d, expected 0 or more", o.steps, o.test)
	}
	if err := cli.Threads(o.threads); err != nil {
		return fmt.Errorf("quickstart: %w", err)
	}
	if o.picture != "" {
		if err := figure.Check(o.picture); err != nil {
			return err
		}
	}
	return tensor.Try(func() error { return compare(ctx, e, o) })
}

// compare teaches both tasks and shows what came of it; where it is interrupted, what came of it so far.
func compare(ctx context.Context, e cli.Env, o options) error {
	b, err := bundle.Open()
	if err != nil {
		return err
	}
	rows, lora, era, err := both(ctx, e, b, o)
	if err == nil {
		return show(e, o, rows, lora, era)
	}
	if len(rows) > 0 && !o.json {
		err = errors.Join(err, table(e.Out, rows))
	}
	return err
}

// both teaches the words to every contender, and the second task over the frozen base of the one who has learned by LoRA.
func both(ctx context.Context, e cli.Env, b *bundle.Bundle, o options) (rows []row, lora, era *student, err error) {
	if rows, lora, err = words(ctx, e, b, o); err != nil {
		return rows, nil, nil, err
	}
	if era, err = second(b, lora); err != nil {
		return rows, nil, nil, err
	}
	r, err := era.teach(ctx, e, onEra, o)
	if err != nil {
		return rows, nil, nil, err
	}
	return append(rows, r), lora, era, nil
}

// words teaches the words to every contender. It keeps the one who has learned by LoRA.
func words(ctx context.Context, e cli.Env, b *bundle.Bundle, o options) (rows []row, lora *student, err error) {
	task, err := b.Words()
	if err != nil {
		return nil, nil, err
	}
	for _, c := range o.contenders {
		s, err := newStudent(b, task, o.threads)
		if err != nil {
			return rows, nil, err
		}
		r, err := s.teach(ctx, e, c, o)
		if err != nil {
			return rows, nil, err
		}
		if c.name == "lora" {
			lora = s
		}
		rows = append(rows, r)
	}
	return rows, lora, nil
}

// second is a student of the second task over the frozen base of the first.
func second(b *bundle.Bundle, first *student) (*student, error) {
	task, err := b.Era()
	if err != nil {
		return nil, err
	}
	m, err := first.model.Sibling(len(task.Classes), 0)
	return &student{task: task, model: m, dev: first.dev}, err
}

// show prints the table and the mixed batch for people, and draws the picture.
func show(e cli.Env, o options, rows []row, students ...*student) error {
	if !o.json {
		if err := table(e.Out, rows); err != nil {
			return err
		}
		if err := mixed(e, students...); err != nil {
			return err
		}
	}
	if o.picture == "" {
		return nil
	}
	if err := picture(o.picture, students[0].task.About, rows[:len(o.contenders)]); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "\nthe picture is in %s\n", o.picture)
	return nil
}

// report prints a result as JSON, if that is asked for.
func report(e cli.Env, o options, r row) error {
	if !o.json {
		return nil
	}
	return json.NewEncoder(e.Out).Encode(r)
}
