package main

import (
	"path/filepath"
	"strconv"
	"strings"
)

// A comparison is one comparison: a name, and the command of each side.
type comparison struct {
	name         string
	job          bool // a whole job, timed from outside; else steps, timed by the program
	ours, theirs []string
}

// A step is a case that times steps, by the flags that both sides take.
type step struct{ name, flags string }

// scaled is the step that is timed with one thread and more.
var scaled = step{"BERT-base, LoRA, 8×128", "-shape bert-base -method lora -batch 8 -seq 128"}

// steps are all of them.
var steps = []step{
	{"MiniLM-L6, LoRA, 16×128 full", "-shape minilm-l6 -method lora -batch 16 -seq 128"},
	{"MiniLM-L6, LoRA, 16×128, 45 % filled", "-shape minilm-l6 -method lora -batch 16 -seq 128 -fill 0.45"},
	{"MiniLM-L6, LoRA, 16×128 full, bf16", "-shape minilm-l6 -method lora -batch 16 -seq 128 -dtype bf16"},
	{"MiniLM-L6, full fine-tuning, 16×128", "-shape minilm-l6 -method full -batch 16 -seq 128"},
	scaled,
	{"GPT-2, LoRA on c_attn, 2×256", "-shape gpt2 -method lora -targets c_attn -batch 2 -seq 256"},
	{"SmolLM2-135M, LoRA r 16 on all linear maps, 2×256", "-shape smollm2-135m -method lora -rank 16 -targets all-linear -batch 2 -seq 256"},
	{"SmolLM2-135M, LoRA r 16 on all linear maps, 2×256, bf16", "-shape smollm2-135m -method lora -rank 16 -targets all-linear -batch 2 -seq 256 -dtype bf16"},
}

// The job is LoRA of rank 8 on queries and values, for an epoch of batches of similar length, then an evaluation.
const (
	jobName   = "MiniLM-L6 on product reviews, LoRA, one epoch"
	jobFlags  = "-batch 16 -epochs 1 -lr 5e-4 -group-by-length"
	jobMethod = `{"method":"lora","r":8,"lora_alpha":16,"target_modules":["query","value"]}`
)

// cases are all of them; what the jobs write goes to a folder.
func cases(o options, dir string) (all []comparison) {
	for _, s := range steps {
		flags := s.arguments(o, o.threads)
		all = append(all, comparison{
			name: s.name, ours: join([]string{filepath.Join(o.programs, "bench")}, flags), theirs: join([]string{o.python, filepath.Join(o.scripts, "hf_step.py")}, flags),
		})
	}
	files := []string{"-model", o.model, "-data", filepath.Join(o.data, "train.jsonl"), "-eval", filepath.Join(o.data, "test.jsonl")}
	flags := join(files, strings.Fields(jobFlags), []string{"-threads", strconv.Itoa(o.threads)})
	return append(all, comparison{
		name: jobName, job: true,
		ours:   join([]string{filepath.Join(o.programs, "finetune")}, flags, []string{"-method", jobMethod, "-json", "-out", filepath.Join(dir, "ours")}),
		theirs: join([]string{o.python, filepath.Join(o.scripts, "hf_finetune.py")}, flags, []string{"-method", "lora", "-rank", "8", "-out", filepath.Join(dir, "theirs")}),
	})
}

// arguments are the command line for a number of threads.
func (s step) arguments(o options, threads int) []string {
	return join(strings.Fields(s.flags), []string{"-threads", strconv.Itoa(threads), "-steps", strconv.Itoa(o.steps), "-warmup", strconv.Itoa(o.warmup)})
}

// join is the parts one after the other.
func join(parts ...[]string) (all []string) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
