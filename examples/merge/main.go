// Command merge folds adapters into a model and writes a model folder that transformers loads.
//
//	go run ./examples/merge -model models/all-MiniLM-L6-v2 -adapter out -out merged
package main

import (
	"context"
	"errors"
	"fmt"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
	"peft/tensor"

	_ "peft/adapter"
	_ "peft/bitfit"
	_ "peft/lora"
	_ "peft/prefix"
	_ "peft/sparsemask"
)

func main() { cli.Main(run) }

func run(_ context.Context, e cli.Env, args []string) error {
	var adapters cli.List
	f := cli.Flags(e, "merge", "merge -model DIR -adapter DIR... -out DIR: fold adapters into a model.")
	model := f.String("model", "", "model `folder`")
	f.Var(&adapters, "adapter", "adapter `folder`; several are folded together, in the order given")
	out := f.String("out", "", "model `folder` to write")
	how := f.String("how", "", "not there yet: combine adapters to one adapter")
	f64 := f.Bool("f64", false, "compute on the float64 reference backend")
	if err := cli.Parse(f, args, "model", "adapter", "out"); err != nil {
		return err
	}
	if *how != "" {
		return errors.New("merge: -how is not there yet; without it all adapters are folded into the model")
	}
	return tensor.Try(func() error { return merge(e, cli.Device(*f64, 0), *model, *out, adapters) })
}

func merge(e cli.Env, d *tensor.Device, model, out string, adapters []string) error {
	m, err := models.OpenFor(model, adapters...)
	if err != nil {
		return err
	}
	defer m.Close()
	patches, err := cli.Load(e, d, m, adapters...)
	if err != nil {
		return err
	}
	merged, err := peft.Merge(d, m.Unwrap(), patches...)
	if err != nil {
		return err
	}
	if err := m.Export(out, merged); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "folded %d into %s\n", len(patches), out)
	return nil
}
