// Command predict runs a model, with or without adapters, on a file of tokenised examples or on a text.
//
//	go run ./examples/predict -model models/all-MiniLM-L6-v2 -adapter out -text "Would buy again."
//	go run ./examples/predict -model models/bert -adapter out -in batch.safetensors -out logits.safetensors -grad
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
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
	model, in, out, route, text string
	adapters                    cli.List
	grad, f64, json             bool
	threads                     int
	answer                      bool // a text is given, be it empty
}

// generation are the flags that continuing a text will have.
var generation = []string{"max-new-tokens", "temperature", "top-p", "seed"}

func parse(e cli.Env, args []string) (o options, err error) {
	f := cli.Flags(e, "predict", "predict -model DIR [-adapter DIR]... (-in FILE -out FILE | -text TEXT): run a model on examples.")
	f.StringVar(&o.model, "model", "", "model `folder`")
	f.Var(&o.adapters, "adapter", "adapter `folder`; several are active together, in the order given")
	f.StringVar(&o.in, "in", "", "safetensors `file` of input_ids and the like")
	f.StringVar(&o.out, "out", "", "safetensors `file` to write logits, loss and gradients to")
	f.StringVar(&o.route, "route", "", "JSON `file`: a list of adapter numbers, one a row, -1 for none")
	f.StringVar(&o.text, "text", "", "a `text` to classify, in place of -in")
	f.BoolVar(&o.grad, "grad", false, "write the loss's gradient by each trained tensor too")
	f.BoolVar(&o.f64, "f64", false, "compute on the float64 reference backend, and write F64")
	f.BoolVar(&o.json, "json", false, "print the answer to -text as a line of JSON")
	f.IntVar(&o.threads, "threads", 0, "number of threads; 0: one for each processor")
	f.Int("max-new-tokens", 0, "how many tokens a text is continued by: not there yet")
	f.Float64("temperature", 0, "of the distribution that these are drawn from; 0: the most likely: not there yet")
	f.Float64("top-p", 1, "share of the distribution that these are drawn from: not there yet")
	f.Uint64("seed", 0, "of what is drawn: not there yet")
	if err := cli.Parse(f, args, "model"); err != nil {
		return o, err
	}
	return o, o.check(f)
}

// check tells of flags that contradict each other, or are for what is not there.
func (o *options) check(f *flag.FlagSet) error {
	given := cli.Given(f)
	for _, name := range generation {
		if given[name] {
			return fmt.Errorf("predict: -%s: texts cannot be continued yet; -text prints the probabilities of a classifier's labels", name)
		}
	}
	o.answer = given["text"]
	switch {
	case o.answer && (given["in"] || given["out"]):
		return errors.New("predict: give -in and -out, or -text, not both")
	case !o.answer && (o.in == "" || o.out == ""):
		return errors.New("predict: give -in and -out, or -text")
	}
	if err := cli.Threads(o.threads); err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	return cli.OnlyWith(f, "in", "route", "grad")
}

func run(ctx context.Context, e cli.Env, args []string) error {
	o, err := parse(e, args)
	if err != nil {
		return err
	}
	m, err := models.OpenFor(o.model, o.adapters...)
	if err != nil {
		return err
	}
	defer m.Close()
	d := cli.Device(o.f64, o.threads)
	patches, err := cli.Load(e, d, m, o.adapters...)
	if err != nil {
		return err
	}
	p := predictor{d, m, patches}
	if o.answer {
		return tensor.Try(func() error { return answer(e, p, o) })
	}
	return tensor.Try(func() error { return file(ctx, e, p, o) })
}

// A predictor is a model with its patches.
type predictor struct {
	dev     *tensor.Device
	model   *models.Opened
	patches []*peft.Patch
}

// taken is how many of the model's positions the patches take.
func (p predictor) taken() (n int) {
	for _, q := range p.patches {
		n += q.Taken()
	}
	return n
}
