// Command compare times the library beside PyTorch with Hugging Face PEFT, on this machine and in one sitting, and writes the outcome to this machine's section of BENCHMARKS.md. It is run from the module's root:
//
//	go run ./bench/compare -python venv/bin/python -scripts ../shared/bench -model models/all-MiniLM-L6-v2 -data data/products
//
// For each case the two sides take turns (ours, theirs, ours, theirs, …), as machines grow faster and slower from one minute to the next; what counts is the ratio of the medians. A step is
// forward pass, backward pass and AdamW, on random weights of a published shape: ours is examples/bench, theirs hf_step.py, which take the same flags. The job is a whole fine-tuning of a real
// model on real data, from the start of the process to the saved adapter: ours is examples/finetune, theirs hf_finetune.py.
// Where the two have been compared, our own steps are timed once more with 1, 2, 4, … threads. A machine without Go is given the programs, built elsewhere, by -programs.
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
	python, scripts, programs, model, data, out string
	only                                        *regexp.Regexp
	rounds, steps, warmup, threads, most        int
}

func parse(args []string, w io.Writer) (o options, err error) {
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.SetOutput(w)
	f.StringVar(&o.python, "python", "python3", "`interpreter` that has torch, transformers and peft")
	f.StringVar(&o.scripts, "scripts", "../shared/bench", "`folder` of hf_step.py and hf_finetune.py")
	f.StringVar(&o.programs, "programs", "", "`folder` of our bench and finetune; empty: they are built")
	f.StringVar(&o.model, "model", "../shared/models/all-MiniLM-L6-v2", "model `folder` of the whole job")
	f.StringVar(&o.data, "data", "../shared/data/products", "`folder` with its train.jsonl and test.jsonl")
	f.StringVar(&o.out, "out", "BENCHMARKS.md", "`file` whose section of this machine is written; empty: none")
	only := f.String("only", "", "run only the cases whose names this `pattern` matches")
	f.IntVar(&o.rounds, "rounds", 5, "turns of each side")
	f.IntVar(&o.steps, "steps", 10, "steps of a turn that are timed")
	f.IntVar(&o.warmup, "warmup", 3, "steps before them")
	f.IntVar(&o.threads, "threads", 2, "threads of each side")
	f.IntVar(&o.most, "most", runtime.NumCPU(), "most threads that our own steps are timed with")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.programs != "" {
		if o.programs, err = filepath.Abs(o.programs); err != nil {
			return o, err
		}
	}
	for name, n := range map[string]int{"rounds": o.rounds, "steps": o.steps, "threads": o.threads} {
		if n < 1 {
			return o, fmt.Errorf("compare: -%s is %d, expected 1 or more", name, n)
		}
	}
	o.only, err = regexp.Compile(*only)
	return o, err
}

func main() { program.Main(parse, compare) }

// compare builds our side if need be, runs all cases and writes this machine's section of the file.
func compare(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "compare-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.programs == "" {
		o.programs = dir
		if err := program.Build(ctx, dir, "./examples/bench", "./examples/finetune"); err != nil {
			return err
		}
	}
	r := report{options: o, place: here(o.programs)}
	if r.results, err = runAll(ctx, o, cases(o, dir), os.Stderr); err != nil {
		return err
	}
	if r.scaling, err = scale(ctx, o, os.Stderr); err != nil {
		return err
	}
	fmt.Print(r.tables())
	if o.out == "" {
		return nil
	}
	return write(o.out, r)
}
