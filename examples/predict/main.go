// Command predict runs a model, with or without adapters, on a file of tokenised examples or on a text.
//
//	go run ./examples/predict -model models/all-MiniLM-L6-v2 -adapter out -text "Would buy again."
//	go run ./examples/predict -model models/bert -adapter out -in batch.safetensors -out logits.safetensors -grad
package main

import (
	"context"
	"errors"

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
}

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
	if err := cli.Parse(f, args, "model"); err != nil {
		return o, err
	}
	if o.text == "" && (o.in == "" || o.out == "") {
		return o, errors.New("predict: give -in and -out, or -text")
	}
	return o, nil
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
	if o.text != "" {
		return tensor.Try(func() error { return answer(e, predictor{d, m, patches}, o) })
	}
	return tensor.Try(func() error { return file(ctx, predictor{d, m, patches}, o) })
}

// A predictor is a model with its patches.
type predictor struct {
	dev     *tensor.Device
	model   *models.Opened
	patches []*peft.Patch
}
