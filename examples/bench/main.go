// Command bench times training steps (forward, backward, AdamW) of a model of a published shape with random weights, and prints one line of JSON.
//
//	go run ./examples/bench -shape minilm-l6 -method lora -batch 16 -seq 128 -threads 2
//	go run ./examples/bench -shape gpt2 -method lora -batch 2 -seq 256 -profile
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

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

// options are the flags.
type options struct {
	shape, method, targets, dtype, cpuprofile string
	rank, batch, seq, steps, warmup, threads  int
	fill                                      float64
	profile                                   bool
}

func parse(e cli.Env, args []string) (o options, err error) {
	f := cli.Flags(e, "bench", "bench -shape NAME -method METHOD [flags]: time training steps.")
	f.StringVar(&o.shape, "shape", "minilm-l6", "model to take the sizes of: "+strings.Join(shapeNames(), ", "))
	f.StringVar(&o.method, "method", "lora", "what is trained: lora, dora, adapter, prefix, prompt, ia3, bitfit, fish, full or head")
	f.IntVar(&o.rank, "rank", 8, "LoRA's rank, whose alpha is twice that, the width of an adapter's bottleneck, or the rows of a prefix or prompt")
	f.StringVar(&o.targets, "targets", "", "names that LoRA adapts, with commas, or all-linear; empty: as is usual for the shape")
	f.IntVar(&o.batch, "batch", 16, "rows of a step")
	f.IntVar(&o.seq, "seq", 128, "tokens of the longest row")
	f.IntVar(&o.steps, "steps", 10, "steps that are timed")
	f.IntVar(&o.warmup, "warmup", 3, "steps before that")
	f.IntVar(&o.threads, "threads", 2, "number of threads")
	f.StringVar(&o.dtype, "dtype", "fp32", "storage of the frozen matrices: fp32, bf16, which asks for products in bfloat16 as well where the processor has them, fp16 or int8; nf4 is not there yet")
	f.Float64Var(&o.fill, "fill", 1, "mean share of -seq that rows fill; below 1 their lengths differ")
	f.StringVar(&o.cpuprofile, "cpuprofile", "", "`file` to write a profile of the timed steps to, for go tool pprof")
	f.BoolVar(&o.profile, "profile", false, "also tell where the time of the timed steps goes, by operation, and how far that is from what the machine can do")
	if err := cli.Parse(f, args); err != nil {
		return o, err
	}
	return o, o.check()
}

func (o options) check() error {
	for name, n := range map[string]int{"batch": o.batch, "seq": o.seq, "steps": o.steps, "rank": o.rank, "threads": o.threads} {
		if n < 1 {
			return fmt.Errorf("bench: -%s is %d, expected 1 or more", name, n)
		}
	}
	switch {
	case o.warmup < 0:
		return fmt.Errorf("bench: -warmup is %d, expected 0 or more", o.warmup)
	case !(o.fill > 0 && o.fill <= 1):
		return fmt.Errorf("bench: -fill is %v, expected a share above 0, at most 1", o.fill)
	case o.dtype == "nf4":
		return fmt.Errorf("bench: -dtype nf4 is not there yet; there are fp32, bf16, fp16 and int8")
	}
	if err := cli.Threads(o.threads); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func run(ctx context.Context, e cli.Env, args []string) error {
	o, err := parse(e, args)
	if err != nil {
		return err
	}
	return tensor.Try(func() error { return bench(ctx, e, o) })
}

func bench(ctx context.Context, e cli.Env, o options) error {
	s, err := find(o.shape)
	if err != nil {
		return err
	}
	if o.targets == "" {
		o.targets = s.targets
	}
	m, err := models.New([]byte(s.config), models.Options{Seed: 1, Storage: models.Storage(o.dtype)})
	if err != nil {
		return err
	}
	method, err := o.decode(m.Config.Hidden)
	if err != nil {
		return err
	}
	d, report := o.device()
	q, err := peft.Attach(d, m.Unwrap(), method, 1)
	if err != nil {
		return err
	}
	r, err := newRunner(d, m, q, o)
	if err != nil {
		return err
	}
	if o.cpuprofile != "" {
		stop, err := sample(o.cpuprofile)
		if err != nil {
			return err
		}
		defer stop()
	}
	line, err := r.time(ctx, report.Reset)
	if err != nil {
		return err
	}
	if err := report.print(e.Err, o, r.took); err != nil {
		return err
	}
	return json.NewEncoder(e.Out).Encode(line)
}

// decode is the method that is asked for, for a stream of a width; a classifier's head is trained as well.
func (o options) decode(width int) (peft.Method, error) {
	config := map[string]any{"method": o.method, "head": true}
	switch o.method {
	case "prefix", "prompt":
		config["num_virtual_tokens"] = o.rank
	case "adapter":
		config["reduction_factor"] = float64(width) / float64(o.rank)
	case "bitfit":
		config["add"] = true
	case "fish":
		config["fisher"] = "random" // which entries they are makes no difference to the time
	case "lora", "dora":
		config["r"], config["lora_alpha"] = o.rank, 2*o.rank
		config["target_modules"] = strings.Split(o.targets, ",")
		if o.targets == "all-linear" {
			config["target_modules"] = o.targets
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	return peft.DecodeMethod(text)
}
