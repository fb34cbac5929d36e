// Command methods fine-tunes a real sentence encoder on real sentences by every method, one after the other, and prints a table in Markdown of what each came to. It is run from the module's root:
//
//	go run ./bench/methods -model models/all-MiniLM-L6-v2 -data data/products
//
// All runs are those of examples/finetune with its learning rate for the method. Those that stay behind LoRA are run by PyTorch with Hugging Face PEFT as well, or with AdapterHub's library,
// with the same settings, where one of them has the method and -python is given.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"peft/bench/internal/program"
)

// options are the flags.
type options struct {
	model, data, python          string
	only                         *regexp.Regexp
	epochs, batch, seed, threads int
}

func parse(args []string, w io.Writer) (o options, err error) {
	f := flag.NewFlagSet("methods", flag.ContinueOnError)
	f.SetOutput(w)
	f.StringVar(&o.model, "model", "../shared/models/all-MiniLM-L6-v2", "model `folder`")
	f.StringVar(&o.data, "data", "../shared/data/products", "`folder` with a train.jsonl and a test.jsonl")
	f.StringVar(&o.python, "python", "", "`interpreter` that has torch, transformers, and peft or adapters or both; empty: none")
	only := f.String("only", "", "run only the methods whose names this `pattern` matches")
	f.IntVar(&o.epochs, "epochs", 1, "how often every example is seen")
	f.IntVar(&o.batch, "batch", 8, "examples at once")
	f.IntVar(&o.seed, "seed", 0, "of all that is random")
	f.IntVar(&o.threads, "threads", runtime.NumCPU(), "threads")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for name, n := range map[string]int{"epochs": o.epochs, "batch": o.batch, "threads": o.threads} {
		if n < 1 {
			return o, fmt.Errorf("methods: -%s is %d, expected 1 or more", name, n)
		}
	}
	o.only, err = regexp.Compile(*only)
	return o, err
}

func main() { program.Main(parse, try) }

// try builds finetune, runs the methods and prints the table.
func try(ctx context.Context, o options) error {
	rows := chosen(o.only)
	if len(rows) == 0 {
		return fmt.Errorf("methods: no method's name matches %q", o.only)
	}
	dir, err := os.MkdirTemp("", "methods-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := program.Build(ctx, dir, "./examples/finetune"); err != nil {
		return err
	}
	if err := run(ctx, o, filepath.Join(dir, "finetune"), rows, os.Stderr); err != nil {
		return err
	}
	fmt.Print(table(rows))
	return nil
}
