// Command sweep looks for the hyper-parameters with which a method learns best: it trains many settings, several at the same time over one loaded base, prints them in order and draws a
// heat map. It judges by examples that are kept back from training, so a test set stays unseen.
//
//	go run ./examples/sweep -method lora -lr 3e-4:3e-2 -rank 2,4,8,16,32 -trials 20
//	go run ./examples/sweep -method lora -where query+value,all-linear -how halving -trials 27
//	go run ./examples/sweep -method adapter -vary reduction_factor=4,8,16 -vary non_linearity=relu,gelu -model models/bert -data train.jsonl
//
// The first two need nothing but what is embedded, the words of the quickstart.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"

	"peft/examples/internal/cli"
	"peft/tensor"

	_ "peft/adapter"
	_ "peft/bitfit"
	_ "peft/hybrid"
	_ "peft/lora"
	_ "peft/prefix"
	_ "peft/sparsemask"
)

func main() { cli.Main(run) }

// options are the flags.
type options struct {
	method, lr, rank, alpha, where string
	vary                           cli.List
	how                            string
	trials, factor                 int
	steps, epochs, batch           int
	seed                           uint64
	parallel, threads              int
	model, data, eval, task        string
	seq                            int
	picture                        string
	json                           bool
}

func parse(e cli.Env, args []string) (o options, err error) {
	f := cli.Flags(e, "sweep", "sweep [-method SPEC] [-lr VALUES] [-rank VALUES] [flags]: look for the hyper-parameters with which a method learns best.\n"+
		"VALUES are some, as 2,4,8, or a range of which the logarithm is drawn, as 1e-4:1e-2.")
	o.space(f)
	o.training(f)
	if err := cli.Parse(f, args); err != nil {
		return o, err
	}
	return o, o.check()
}

func (o *options) space(f *flag.FlagSet) {
	f.StringVar(&o.method, "method", "lora", "a method's name, or its configuration as JSON")
	f.StringVar(&o.lr, "lr", "", "`values` of the learning rate; empty: a range that suits the method")
	f.StringVar(&o.rank, "rank", "", "`values` of the rank; empty: some that suit the method")
	f.StringVar(&o.alpha, "alpha", "", "`values` of LoRA's alpha")
	f.StringVar(&o.where, "where", "", "modules to adapt: `choices` such as query+value,all-linear")
	f.Var(&o.vary, "vary", "`FIELD=VALUES` of any other field of the method's configuration; may be given several times")
	f.StringVar(&o.how, "how", "random", "random: all settings are trained to the end; halving: only the best after a part of the steps go on with more")
	f.IntVar(&o.trials, "trials", 16, "number of settings that are tried")
	f.IntVar(&o.factor, "factor", 3, "of how many settings one goes on by halving, to so many times the steps")
	f.StringVar(&o.picture, "picture", "sweep.png", "`file` to draw the heat map to; empty: none")
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each run, and at the end the best once more")
}

func (o *options) training(f *flag.FlagSet) {
	f.IntVar(&o.steps, "steps", 0, "most updates of a run; 0: as many as -epochs take")
	f.IntVar(&o.epochs, "epochs", 3, "how often every example is seen")
	f.IntVar(&o.batch, "batch", 16, "examples at once")
	f.Uint64Var(&o.seed, "seed", 0, "of the settings that are drawn, and of every run")
	f.IntVar(&o.parallel, "parallel", runtime.GOMAXPROCS(0), "runs at the same time")
	f.IntVar(&o.threads, "threads", 0, "number of threads of a run; 0: what -parallel leaves of the processors")
	f.StringVar(&o.model, "model", "", "model `folder`; empty: the embedded model and its words")
	f.StringVar(&o.data, "data", "", "`file` of JSON lines to train on")
	f.StringVar(&o.eval, "eval", "", "`file` of JSON lines to judge by; empty: every fifth example of -data, which is not trained on then")
	f.StringVar(&o.task, "task", "", "seqcls, mlm or lm; empty: the model's own, else seqcls")
	f.IntVar(&o.seq, "seq", 256, "longest sequence, in tokens; longer ones are cut")
}

func (o *options) check() error {
	for name, n := range map[string]int{"trials": o.trials, "epochs": o.epochs, "batch": o.batch, "parallel": o.parallel, "seq": o.seq - 1} {
		if n < 1 {
			return fmt.Errorf("sweep: -%s is too small, expected a positive number", name)
		}
	}
	if err := cli.Threads(o.threads); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	switch {
	case o.how != "random" && o.how != "halving":
		return fmt.Errorf("sweep: -how is %q, expected random or halving", o.how)
	case o.factor < 2:
		return fmt.Errorf("sweep: -factor is %d, expected 2 or more", o.factor)
	case o.steps < 0:
		return fmt.Errorf("sweep: -steps is %d, expected 0 or more", o.steps)
	case (o.model == "") != (o.data == ""):
		return errors.New("sweep: give -model and -data, or neither for what is embedded")
	case o.eval != "" && o.data == "":
		return errors.New("sweep: -eval needs -model and -data")
	case o.task != "" && o.data == "":
		return errors.New("sweep: -task needs -model and -data")
	case !slices.Contains([]string{"", "seqcls", "mlm", "lm"}, o.task):
		return fmt.Errorf("sweep: -task is %q, expected seqcls, mlm or lm", o.task)
	}
	return nil
}

func run(ctx context.Context, e cli.Env, args []string) error {
	o, err := parse(e, args)
	if err != nil {
		return err
	}
	return tensor.Try(func() error { return search(ctx, e, o) })
}

// search tries the settings and shows what came of them, also of those before an interruption.
func search(ctx context.Context, e cli.Env, o options) error {
	s, err := newSweep(e, o)
	if err != nil {
		return err
	}
	defer s.close()
	stopped := s.search(ctx)
	results := s.last()
	if len(results) == 0 {
		return stopped
	}
	return errors.Join(stopped, s.show(results))
}

// show prints the settings, the best first, and draws the heat map.
func (s *sweep) show(results []result) error {
	if s.json {
		if err := json.NewEncoder(s.env.Out).Encode(s.line(results[0], true)); err != nil {
			return err
		}
	} else if err := s.table(results); err != nil {
		return err
	}
	if s.picture == "" {
		return nil
	}
	if err := s.heatMap(results); err != nil {
		return fmt.Errorf("-picture %s: %w", s.picture, err)
	}
	fmt.Fprintf(s.env.Err, "the heat map is in %s\n", s.picture)
	return nil
}
