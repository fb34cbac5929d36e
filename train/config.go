package train

import (
	"errors"
	"fmt"
	"io"
	"math"

	"peft/peft"
	"peft/tensor/optim"
)

// A Config is how a [Job] is trained. One of Steps and Epochs must be given, and LR or a Rule that has one; everything else has a use as zero.
type Config struct {
	// Steps is how many updates there are; 0 means as many as Epochs take. Epochs is how often every example is seen.
	Steps, Epochs int
	// Batch is how many examples go through the model at once; 0 means 16.
	Batch int
	// Accumulate is how many batches one update is made from; 0 means 1. Its gradient is that of the mean over all their targets, as if they were one batch.
	Accumulate int
	// InOrder takes the examples in their order, wrapping round, where they are otherwise shuffled anew every epoch.
	InOrder bool
	// GroupByLength puts examples of similar length into one batch, within windows of 50 batches. It needs [Job.Length] and acts on shuffled examples.
	GroupByLength bool
	// Seed is that of the order, of dropout and of random routes.
	Seed uint64

	// LR is the learning rate, WeightDecay AdamW's decay of every trained parameter.
	LR, WeightDecay float64
	// Rule says how a parameter is updated; nil means AdamW with LR and WeightDecay.
	Rule func(x *peft.Param) optim.Rule
	// Schedule is the course of the learning rate by the name that Hugging Face gives it, see [optim.Named]; empty means linear, which falls to 0.
	Schedule string
	// Warmup is for how many steps the rate rises from 0 before that; below 1 it is a share of all steps.
	Warmup float64
	// Clip is the largest global norm of a gradient, larger ones are scaled down to it; 0 means no limit.
	Clip float64

	// NoDropout turns dropout and random routes off.
	NoDropout bool
	// Recompute keeps nothing of a block's forward pass and computes it again in the backward pass: less memory for a third more time.
	Recompute bool

	// EvalEvery is after how many steps [Job.Eval] is called; 0 means only after the last.
	EvalEvery int
	// Patience stops the run after so many evaluations in a row without a lower loss; 0 means never.
	Patience int
	// KeepBest ends with the parameters that the evaluation with the lowest loss saw, not with the last.
	KeepBest bool

	// Checkpoint is the file that holds the whole state of the run, written every CheckpointEvery steps, when the context is cancelled, and at the end; empty means
	// none. With Resume the run goes on from there, bit for bit as if it had never stopped, or begins where there is no such file.
	Checkpoint      string
	CheckpointEvery int
	Resume          bool

	// Log takes a line of JSON for each step and each evaluation, see [Step] and [Eval]; nil means none. A [LogFile] is cut back to the step that is resumed from.
	Log io.Writer
	// Progress takes text for a reader: one line that is rewritten if it is a terminal, else a line now and then; nil means none.
	Progress io.Writer
}

// withDefaults is the configuration with a number in place of each zero that stands for one.
func (c Config) withDefaults() Config {
	if c.Batch == 0 {
		c.Batch = 16
	}
	if c.Accumulate == 0 {
		c.Accumulate = 1
	}
	if c.Schedule == "" {
		c.Schedule = "linear"
	}
	if c.Rule == nil {
		rule := optim.AdamW{LR: c.LR, Decay: c.WeightDecay}
		c.Rule = func(*peft.Param) optim.Rule { return rule }
	}
	return c
}

// Check returns what is wrong with the configuration whatever the job, so that it can be told before anything is opened; [Run] looks at the rest.
func (c Config) Check() error {
	c = c.withDefaults()
	if err := c.numbers(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if _, err := optim.Named(c.Schedule, 0, 0); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := (optim.AdamW{LR: c.LR, Decay: c.WeightDecay}).Check(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// check returns what is wrong with the configuration for a job.
func (c Config) check(j Job) error {
	if j.Patch == nil || j.Loss == nil || j.Examples < 1 {
		return errors.New("a job needs a Patch, a Loss and at least one example")
	}
	if err := c.numbers(); err != nil {
		return err
	}
	return c.complete(j)
}

// numbers returns which number is out of range.
func (c Config) numbers() error {
	for name, n := range map[string]int{
		"Steps": c.Steps, "Epochs": c.Epochs, "Batch": c.Batch, "Accumulate": c.Accumulate, "EvalEvery": c.EvalEvery, "Patience": c.Patience,
		"CheckpointEvery": c.CheckpointEvery,
	} {
		if n < 0 {
			return fmt.Errorf("%s is %d, want no negative number", name, n)
		}
	}
	for name, x := range map[string]float64{"Warmup": c.Warmup, "Clip": c.Clip} {
		if !finite(x) || x < 0 {
			return fmt.Errorf("%s is %v, want a number of 0 or more", name, x)
		}
	}
	return nil
}

// complete returns what a setting needs and does not have.
func (c Config) complete(j Job) error {
	switch {
	case c.Steps+c.Epochs == 0:
		return errors.New("neither Steps nor Epochs is given")
	case c.GroupByLength && j.Length == nil:
		return errors.New("GroupByLength needs the Length of the job's examples")
	case (c.EvalEvery > 0 || c.Patience > 0 || c.KeepBest) && j.Eval == nil:
		return errors.New("EvalEvery, Patience and KeepBest need the job's Eval")
	case (c.CheckpointEvery > 0 || c.Resume) && c.Checkpoint == "":
		return errors.New("CheckpointEvery and Resume need the Checkpoint's file")
	}
	return nil
}

func (c Config) order(j Job) *order {
	return &order{
		Examples: j.Examples, Batch: c.Batch, Accumulate: c.Accumulate, InOrder: c.InOrder, ByLength: c.GroupByLength, Seed: c.Seed, length: j.Length,
	}
}

// warmup is the number of steps in which the learning rate rises.
func (c Config) warmup(total int) int {
	if c.Warmup < 1 {
		return int(math.Ceil(c.Warmup * float64(total)))
	}
	return int(c.Warmup)
}
