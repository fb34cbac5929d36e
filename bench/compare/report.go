package main

import (
	"fmt"
	"slices"
	"strings"
)

// A report is what was measured on a machine.
type report struct {
	options
	place
	results []result
	scaling []rung
}

// title names the machine.
func (r report) title() string {
	return fmt.Sprintf("%s, %d processors, %d threads on each side", r.processor, r.processors, r.threads)
}

// section is all that is told of the machine, below its title.
func (r report) section() string {
	return strings.Join([]string{
		"",
		"    " + r.command(),
		"",
		fmt.Sprintf("* Machine: %s of memory, %s", r.memory, r.system),
		fmt.Sprintf("* Date: %s", r.date),
		fmt.Sprintf("* Versions: this library at %s, %s; %s", r.commit, r.golang, r.versions()),
		"",
		r.tables(),
	}, "\n")
}

// command is how the page is made again, without the paths of this machine.
func (r report) command() string {
	only := ""
	if r.only.String() != "" {
		only = fmt.Sprintf(" -only '%s'", r.only)
	}
	return fmt.Sprintf("go run ./bench/compare -rounds %d -steps %d -warmup %d -threads %d%s -python PYTHON -scripts DIR -model DIR -data DIR", r.rounds, r.steps, r.warmup, r.threads, only)
}

// versions are those that the other side tells.
func (r report) versions() string {
	for _, x := range r.results {
		for _, t := range x.theirs {
			if t.Torch != "" {
				return fmt.Sprintf("torch %s, transformers %s, peft %s", t.Torch, t.HF, t.PEFT)
			}
		}
	}
	return "those of the other side are not told"
}

// tables are the results: steps, then the job, then what more threads gain.
func (r report) tables() string {
	var b strings.Builder
	r.table(&b, false, "A step", fmt.Sprintf("Forward pass, backward pass and AdamW, random weights of the shape. Milliseconds are the median of %d rounds, each the median of %d steps.", r.rounds, r.steps), "ms")
	r.table(&b, true, "A whole job", fmt.Sprintf("From the start of the process to the saved adapter, with an evaluation on what was held out; batches of similar length. Seconds are the median of %d rounds.", r.rounds), "s")
	r.threadsTable(&b)
	return b.String()
}

// table writes the steps or the jobs, if there are any.
func (r report) table(b *strings.Builder, job bool, title, what, unit string) {
	if !slices.ContainsFunc(r.results, func(x result) bool { return x.job == job }) {
		return
	}
	fmt.Fprintf(b, "### %s\n\n%s The range is that of single rounds.\n\n", title, what)
	fmt.Fprintf(b, "| | ours, %s | PyTorch, %s | times as fast | range | ours, MB | PyTorch, MB | times the memory |\n|---|---:|---:|---:|---:|---:|---:|---:|\n", unit, unit)
	for _, x := range r.results {
		if x.job == job {
			b.WriteString(x.row())
		}
	}
	for _, x := range r.results {
		if x.job && job {
			accuracy := func(t turn) float64 { return t.Accuracy }
			fmt.Fprintf(b, "\nAccuracy on what was held out: %.3f, PyTorch %.3f.\n", median(x.ours, accuracy), median(x.theirs, accuracy))
		}
	}
	b.WriteString("\n")
}

// row is a line of a table.
func (r result) row() string {
	faster, least, most := r.ratio(r.time)
	smaller, _, _ := r.ratio(turn.megabytes)
	return fmt.Sprintf("| %s | %s | %s | **%.2f** | %.2f–%.2f | %.0f | %.0f | %.2f |\n", r.name, short(median(r.ours, r.time)), short(median(r.theirs, r.time)),
		faster, least, most, median(r.ours, turn.megabytes), median(r.theirs, turn.megabytes), 1/smaller)
}

// short is a number with one digit after the point, three if it is small.
func short(x float64) string {
	if x < 10 {
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.1f", x)
}
