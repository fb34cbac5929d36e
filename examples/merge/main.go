// Command merge folds adapters into a model and writes a model folder that transformers loads. Weights make it fold their weighted sum. With -how it combines adapters of LoRA into one
// adapter folder instead, which Hugging Face PEFT loads.
//
//	go run ./examples/merge -model models/all-MiniLM-L6-v2 -adapter out -out merged
//	go run ./examples/merge -model models/llama -adapter polite:0.7 -adapter rude:-0.4 -out merged
//	go run ./examples/merge -model models/llama -adapter german:0.5 -adapter law:0.5 -how svd -rank 16 -out german-law
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"peft/examples/internal/cli"
	"peft/lora"
	"peft/models"
	"peft/peft"
	"peft/tensor"

	_ "peft/adapter"
	_ "peft/bitfit"
	_ "peft/hybrid"
	_ "peft/prefix"
	_ "peft/sparsemask"
)

func main() { cli.Main(run) }

// options are the flags.
type options struct {
	model, out, how string
	adapters        shares
	weighted        lora.Weighted
	f64             bool
}

func parse(e cli.Env, args []string) (o options, err error) {
	f := cli.Flags(e, "merge", "merge -model DIR -adapter DIR[:WEIGHT]... -out DIR [-how WAY]: fold adapters into a model, or combine them into one adapter.")
	f.StringVar(&o.model, "model", "", "model `folder`")
	f.Var(&o.adapters, "adapter", "adapter `folder[:weight]`; several are folded together, in the order given, or, if one has a weight, as their weighted sum (default weight 1)")
	f.StringVar(&o.out, "out", "", "`folder` to write: a model, or with -how an adapter")
	f.StringVar(&o.how, "how", "", "combine adapters of LoRA to one by this `way`: sum (exact, least rank), cat (exact, ranks add up), svd (cut to -rank), ties, dare, or as Hugging Face PEFT "+
		"calls the others: linear, magnitude_prune, dare_linear (the same as dare), dare_ties; all but the first three also with _svd at the end: of whole updates, not of their factors")
	f.IntVar(&o.weighted.Rank, "rank", 0, "with -how svd and what ends in _svd: `rank` of the result; 0: the largest of the adapters")
	f.Float64Var(&o.weighted.Density, "density", 0.5, "with ties, dare and magnitude_prune: `share` of entries that are kept, above 0 and at most 1")
	f.StringVar((*string)(&o.weighted.Sign), "sign", "total", "with ties: the `majority` that elects a sign, total or frequency")
	f.Uint64Var(&o.weighted.Seed, "seed", 0, "with dare: `seed` of the entries that are dropped")
	f.BoolVar(&o.f64, "f64", false, "compute on the float64 reference backend")
	if err := cli.Parse(f, args, "model", "adapter", "out"); err != nil {
		return o, err
	}
	return o, o.check(f)
}

func (o *options) check(f *flag.FlagSet) error {
	if o.weighted.Density == 0 {
		return errors.New("merge: -density is 0, must be above 0 and at most 1")
	}
	if err := cli.OnlyWith(f, "how", "rank", "density", "sign", "seed"); err != nil {
		return err
	}
	for _, dir := range append(o.adapters.dirs(), o.model) {
		if cli.Same(o.out, dir) {
			return fmt.Errorf("merge: -out is the folder %s that is read, which stays as it is", dir)
		}
	}
	switch o.how {
	case "sum":
		o.weighted.How = lora.Sum
	case "dare", "dare_svd":
		o.weighted.How = lora.DARELinear + lora.How(strings.TrimPrefix(o.how, "dare"))
	default:
		o.weighted.How = lora.How(o.how)
	}
	return nil
}

func run(ctx context.Context, e cli.Env, args []string) error {
	o, err := parse(e, args)
	if err != nil {
		return err
	}
	return tensor.Try(func() error { return merge(ctx, e, o) })
}

func merge(ctx context.Context, e cli.Env, o options) error {
	m, err := models.OpenFor(o.model, o.adapters.dirs()...)
	if err != nil {
		return err
	}
	defer m.Close()
	d := cli.Device(o.f64, 0)
	patches, err := cli.Load(e, d, m, o.adapters.dirs()...)
	if err != nil {
		return err
	}
	terms := o.adapters.terms(patches)
	if o.how != "" {
		return combine(ctx, e, o, m, terms)
	}
	merged, err := fold(d, m, o.adapters.weighted(), terms)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if m.Options.Pool == models.MeanPool {
		fmt.Fprintln(e.Err, "warning: transformers has no class for a head on the mean of the last hidden state, and would put this one on a pooler of random weights")
	}
	m.Names = cli.Labels(o.adapters.dirs()...)
	if err := m.Export(o.out, merged); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "folded %d into %s\n", len(terms), o.out)
	return nil
}

// fold makes the new weights: of all adapters after each other, or of their weighted sum.
func fold(d *tensor.Device, m *models.Opened, weighted bool, terms []peft.Term) (*peft.Patch, error) {
	if weighted {
		return peft.MergeSum(d, m.Unwrap(), terms...)
	}
	var patches []*peft.Patch
	for _, t := range terms {
		patches = append(patches, t.Patch)
	}
	return peft.Merge(d, m.Unwrap(), patches...)
}

// combine writes one adapter folder.
func combine(ctx context.Context, e cli.Env, o options, m *models.Opened, terms []peft.Term) error {
	q, err := o.weighted.Of(terms...)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := peft.Save(o.out, q, cli.Info(o.model, m, cli.Labels(o.adapters.dirs()...))); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "combined %d into %s, of rank %d\n", len(terms), o.out, q.Method().(lora.Config).Rank)
	return nil
}
