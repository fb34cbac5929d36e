// Command finetune trains a few parameters of a pre-trained model on labelled texts or tokenised examples, and saves them as an adapter folder that Hugging Face PEFT loads.
//
//	go run ./examples/finetune -model models/all-MiniLM-L6-v2 -method lora -data train.jsonl -eval test.jsonl -out adapter
//	go run ./examples/finetune -model models/bert -method '{"method":"lora","r":4,"target_modules":["query"]}' -data train.jsonl -out adapter
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"peft/examples/internal/cli"
	"peft/models"
	"peft/peft"
	"peft/tensor"
	"peft/train"

	_ "peft/adapter"
	_ "peft/bitfit"
	_ "peft/hybrid"
	_ "peft/lora"
	_ "peft/prefix"
)

func main() { cli.Main(run) }

// options are the flags.
type options struct {
	model, method, init, task, pool, dropout string
	data, eval, out, log, saveF64, quantize  string
	seq, threads                             int
	shuffle, f64, json                       bool
	train                                    train.Config
}

func parse(e cli.Env, args []string) (o options, err error) {
	f := cli.Flags(e, "finetune", "finetune -model DIR -method SPEC -data FILE -out DIR [flags]: train a few parameters of a model.")
	o.files(f)
	o.training(f)
	if err := cli.Parse(f, args, "model", "data", "out"); err != nil {
		return o, err
	}
	return o, o.check(f)
}

func (o *options) files(f *flag.FlagSet) {
	f.StringVar(&o.model, "model", "", "model `folder`")
	f.StringVar(&o.method, "method", "lora", "a method's name, its configuration as JSON, or the path of such a file or of an adapter folder")
	f.StringVar(&o.init, "init", "", "adapter `folder` to start from, its configuration and its weights")
	f.StringVar(&o.task, "task", "", "seqcls, tokcls, mlm or lm; empty: the model's own, else what the data is for")
	f.StringVar(&o.pool, "pool", "", "head of a classifier for a model without one: head or mean; empty: head where the file holds a pooler")
	f.StringVar(&o.data, "data", "", "`file` to train on: JSON lines or safetensors")
	f.StringVar(&o.eval, "eval", "", "`file` to evaluate on")
	f.StringVar(&o.out, "out", "", "adapter `folder` to write")
	f.StringVar(&o.log, "log", "", "`file` of JSON lines, one a step and one an evaluation")
	f.StringVar(&o.saveF64, "save-f64", "", "`file` to write the trained tensors to as F64")
	f.StringVar(&o.quantize, "quantize", "", "keep the matrices of the frozen base as int8, with a scale for each row; nf4 is not there yet; empty: as the file has them")
	f.BoolVar(&o.json, "json", false, "end with a line of JSON")
}

func (o *options) training(f *flag.FlagSet) {
	f.IntVar(&o.train.Steps, "steps", 0, "number of updates; 0: as many as -epochs take")
	f.IntVar(&o.train.Epochs, "epochs", 0, "how often every example is seen; 0: once, if -steps is not given")
	f.IntVar(&o.train.Batch, "batch", 16, "examples at once")
	f.IntVar(&o.train.Accumulate, "accumulate", 1, "batches to an update")
	f.IntVar(&o.seq, "seq", 256, "longest sequence, in tokens; longer ones are cut")
	f.Float64Var(&o.train.LR, "lr", 0, "learning rate; 0: what suits the method")
	f.StringVar(&o.train.Schedule, "schedule", "linear", "of the learning rate: linear, cosine or constant")
	f.Float64Var(&o.train.Warmup, "warmup", 0, "steps in which the learning rate rises; below 1: their share")
	f.Float64Var(&o.train.WeightDecay, "weight-decay", 0, "AdamW's decay of every trained parameter")
	f.Float64Var(&o.train.Clip, "clip", 0, "largest norm of the gradient; 0: any")
	f.Uint64Var(&o.train.Seed, "seed", 0, "of all that is random")
	f.IntVar(&o.threads, "threads", 0, "number of threads; 0: one for each processor")
	f.BoolVar(&o.shuffle, "shuffle", true, "shuffle the examples anew every epoch; false: in file order, wrapping round")
	f.BoolVar(&o.train.GroupByLength, "group-by-length", false, "put examples of similar length into one batch")
	f.StringVar(&o.dropout, "dropout", "config", "config: as the model's and the adapter's configurations say; none")
	f.BoolVar(&o.f64, "f64", false, "train on the float64 reference backend: slow, for checks")
	f.IntVar(&o.train.CheckpointEvery, "checkpoint", 0, "save all state every so many steps, beside the adapter folder")
	f.BoolVar(&o.train.Resume, "resume", false, "go on from the last checkpoint, or start anew where there is none")
}

func (o *options) check(f *flag.FlagSet) error {
	switch given := cli.Given(f); {
	case given["method"] && o.init != "":
		return errors.New("finetune: give -method or -init, not both")
	case o.dropout != "config" && o.dropout != "none":
		return fmt.Errorf("finetune: -dropout is %q, expected config or none", o.dropout)
	case slices.Contains(later, o.task):
		return fmt.Errorf("finetune: -task %s is not there yet; there are %s", o.task, strings.Join(tasks, ", "))
	case o.task != "" && !slices.Contains(tasks, o.task):
		return fmt.Errorf("finetune: -task is %q, expected one of %s", o.task, strings.Join(tasks, ", "))
	case o.pool != "" && o.pool != string(models.HeadPool) && o.pool != string(models.MeanPool):
		return fmt.Errorf("finetune: -pool is %q, expected head or mean", o.pool)
	case o.quantize == "nf4":
		return errors.New("finetune: -quantize nf4 is not there yet; there is int8")
	case o.quantize != "" && o.quantize != string(models.Int8):
		return fmt.Errorf("finetune: -quantize is %q, expected int8 or nf4", o.quantize)
	case o.seq < 2:
		return fmt.Errorf("finetune: -seq is %d, expected 2 or more", o.seq)
	case o.train.LR < 0:
		return fmt.Errorf("finetune: -lr is %v, expected a positive rate", o.train.LR)
	case o.train.Batch < 1 || o.train.Accumulate < 1:
		return fmt.Errorf("finetune: -batch is %d and -accumulate %d, expected 1 or more", o.train.Batch, o.train.Accumulate)
	case cli.Same(o.log, o.data) || cli.Same(o.log, o.eval):
		return errors.New("finetune: -log is a file of examples, which stays as it is")
	case cli.Same(o.saveF64, o.data) || cli.Same(o.saveF64, o.eval):
		return errors.New("finetune: -save-f64 is a file of examples, which stays as it is")
	case cli.Same(o.out, o.model):
		return fmt.Errorf("finetune: -out is the model's folder %s, which stays as it is", o.model)
	}
	if err := cli.Threads(o.threads); err != nil {
		return fmt.Errorf("finetune: %w", err)
	}
	if err := o.train.Check(); err != nil {
		return fmt.Errorf("finetune: %w", err)
	}
	o.train.InOrder, o.train.NoDropout = !o.shuffle, o.dropout == "none"
	if o.train.Steps == 0 && o.train.Epochs == 0 {
		o.train.Epochs = 1
	}
	if o.train.CheckpointEvery > 0 || o.train.Resume {
		o.train.Checkpoint = filepath.Clean(o.out) + ".checkpoint"
	}
	return nil
}

// The tasks that there are, and those that are to come.
var (
	tasks = []string{"seqcls", "tokcls", "mlm", "lm"}
	later = []string{"seq2seq", "imagecls", "contrastive"}
)

func run(ctx context.Context, e cli.Env, args []string) error {
	o, err := parse(e, args)
	if err != nil {
		return err
	}
	return tensor.Try(func() error { return finetune(ctx, e, o) })
}

// finetune does the whole job. What was trained before an interruption is saved, if anything was.
func finetune(ctx context.Context, e cli.Env, o options) error {
	j, err := newJob(ctx, e, o)
	if err != nil {
		return err
	}
	defer j.model.Close()
	if err := o.writable(); err != nil {
		return err
	}
	o.train.Progress = e.Err
	if o.log != "" {
		l, err := train.OpenLog(o.log)
		if err != nil {
			return err
		}
		defer l.Close()
		o.train.Log = l
	}
	if o.train.LR == 0 {
		o.train.LR = j.rate
	}
	fmt.Fprintf(e.Err, "%s: training %s of %s parameters (%.3g %%) on %d examples\n", j.name, cli.Count(j.summary.Trainable), cli.Count(j.summary.Total), j.summary.Percent(), j.data.Len())
	if !o.f64 {
		j.tellMemory(ctx, e, o)
	}
	result, trained := train.Run(ctx, j.job(), o.train)
	if trained != nil && result.Steps == 0 { // there is nothing to save, and perhaps an adapter of another run to keep
		return trained
	}
	return errors.Join(trained, j.save(e, o, result))
}

// writable makes sure, before hours of training, that what is written after them can be written.
func (o options) writable() error {
	for name, path := range map[string]string{"out": o.out, "save-f64": o.saveF64} {
		if path == "" {
			continue
		}
		if err := cli.Writable(path); err != nil {
			return fmt.Errorf("-%s %s cannot be written: %w", name, path, err)
		}
	}
	return nil
}

// newJob opens all that is trained, and on what.
func newJob(ctx context.Context, e cli.Env, o options) (*job, error) {
	spec, err := readSpec(o)
	if err != nil {
		return nil, err
	}
	config, err := models.ReadConfig(o.model)
	if err != nil {
		return nil, err
	}
	d, err := readData(o, config)
	if err != nil {
		return nil, err
	}
	want, err := spec.options(o, config, d)
	if err != nil {
		return nil, err
	}
	m, err := models.Open(o.model, want)
	if err != nil {
		return nil, err
	}
	j := &job{model: m, dataset: d, spec: spec, dev: cli.Device(o.f64, o.threads), name: spec.name, rate: spec.rate()}
	if err := j.attach(ctx, e, o); err != nil {
		m.Close()
		return nil, err
	}
	return j, nil
}

// attach makes the patch, and tells whether the examples suit the model with it.
func (j *job) attach(ctx context.Context, e cli.Env, o options) (err error) {
	if j.fresh, err = freshParts(j.model); err != nil {
		return err
	}
	if j.patch, err = j.spec.attach(ctx, e, j, o); err != nil {
		return err
	}
	j.summary = j.patch.Summary()
	return j.check(o)
}

// A job is what is trained, and on what.
type job struct {
	*dataset
	model   *models.Opened
	spec    *spec
	patch   *peft.Patch
	summary peft.Summary
	dev     *tensor.Device
	name    string
	rate    float64 // the learning rate that suits the method

	fresh []string // see freshParts
}
