package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"peft/bench/internal/program"
)

// near is how far below LoRA's an accuracy may be before PyTorch is asked.
const near = 0.02

// run lets finetune try all rows, and then PyTorch those that stay behind LoRA. It tells of each.
func run(ctx context.Context, o options, finetune string, rows []row, told io.Writer) error {
	for i := range rows {
		r := &rows[i]
		if err := r.ours(ctx, o, finetune); err != nil {
			return err
		}
		fmt.Fprintf(told, "%s: %.3f\n", r.name, r.Accuracy)
	}
	enough := accuracy(rows, "lora") - near
	for i := range rows {
		r := &rows[i]
		if o.python == "" || r.Accuracy >= enough {
			continue
		}
		if err := r.theirs(ctx, o); err != nil {
			return err
		}
		if r.pytorch != nil {
			fmt.Fprintf(told, "%s: %.3f, PyTorch %.3f\n", r.name, r.Accuracy, *r.pytorch)
		}
	}
	return nil
}

// accuracy is that of a method, 0 where it was not tried.
func accuracy(rows []row, name string) float64 {
	for _, r := range rows {
		if r.name == name {
			return r.Accuracy
		}
	}
	return 0
}

// ours trains by finetune. Its log tells the learning rate, which is whole at the first step.
func (r *row) ours(ctx context.Context, o options, finetune string) error {
	dir, err := os.MkdirTemp("", "methods-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log := filepath.Join(dir, "log")
	command := append(r.command(o, finetune), "-data", filepath.Join(o.data, "train.jsonl"), "-eval", filepath.Join(o.data, "test.jsonl"), "-json", "-out", filepath.Join(dir, "adapter"), "-log", log)
	if err := program.Run(ctx, command, r); err != nil {
		return err
	}
	r.rate, err = firstRate(log)
	return err
}

// theirs trains by PyTorch.
func (r *row) theirs(ctx context.Context, o options) error {
	var got struct {
		Accuracy *float64 `json:"eval_accuracy"`
	}
	command := append(r.command(o, o.python, "bench/methods/counterpart.py"), "-data", o.data, "-lr", strconv.FormatFloat(r.rate, 'g', -1, 64))
	err := program.Run(ctx, command, &got)
	r.pytorch = got.Accuracy
	return err
}

// command begins a command line with what both sides take.
func (r *row) command(o options, start ...string) []string {
	return append(start, "-model", o.model, "-method", r.spec(), "-epochs", strconv.Itoa(o.epochs), "-batch", strconv.Itoa(o.batch), "-seed", strconv.Itoa(o.seed), "-threads", strconv.Itoa(o.threads))
}

// firstRate is the learning rate of the first step of a log.
func firstRate(log string) (float64, error) {
	f, err := os.Open(log)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadBytes('\n')
	if err != nil {
		return 0, err
	}
	var step struct {
		LR float64 `json:"lr"`
	}
	return step.LR, json.Unmarshal(line, &step)
}
