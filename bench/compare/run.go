package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"peft/bench/internal/program"
)

// A turn is what one run of one side came to. Fields are the programs' own.
type turn struct {
	StepMS   float64 `json:"step_ms"`
	PeakMB   float64 `json:"peak_mb"`
	PeakRSS  float64 `json:"peak_rss_bytes"`
	Accuracy float64 `json:"eval_accuracy"`
	Torch    string  `json:"torch"`
	PEFT     string  `json:"peft"`
	HF       string  `json:"transformers"`

	seconds float64 // from the start of the process to its end
}

// megabytes is the peak of its memory.
func (t turn) megabytes() float64 { return t.PeakMB + t.PeakRSS/(1<<20) }

// A result is the turns of a case.
type result struct {
	comparison
	ours, theirs []turn
}

// time is what is compared: milliseconds of a step, or seconds of a job.
func (r result) time(t turn) float64 {
	if r.job {
		return t.seconds
	}
	return t.StepMS
}

// runAll runs all cases that are asked for, and tells of each turn.
func runAll(ctx context.Context, o options, all []comparison, told io.Writer) (results []result, err error) {
	for _, c := range all {
		if !o.only.MatchString(c.name) {
			continue
		}
		r := result{comparison: c}
		for n := range o.rounds {
			if err := r.round(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(told, "%s, round %d of %d: %.4g beside %.4g\n", c.name, n+1, o.rounds, r.time(r.ours[n]), r.time(r.theirs[n]))
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("compare: no case's name matches %q", o.only)
	}
	return results, nil
}

// round lets each side take a turn.
func (r *result) round(ctx context.Context) error {
	for _, side := range []struct {
		command []string
		turns   *[]turn
	}{{r.comparison.ours, &r.ours}, {r.comparison.theirs, &r.theirs}} {
		t, err := take(ctx, side.command)
		if err != nil {
			return err
		}
		*side.turns = append(*side.turns, t)
	}
	return nil
}

// take runs a command, which ends with a line of JSON.
func take(ctx context.Context, command []string) (t turn, err error) {
	begin := time.Now()
	err = program.Run(ctx, command, &t)
	t.seconds = time.Since(begin).Seconds()
	return t, err
}

// median is the middle one of some numbers.
func median(of []turn, number func(turn) float64) float64 {
	var all []float64
	for _, t := range of {
		all = append(all, number(t))
	}
	slices.Sort(all)
	return (all[len(all)/2] + all[(len(all)-1)/2]) / 2
}

// ratio is that of their median to ours, and its least and most in one round.
func (r result) ratio(number func(turn) float64) (ratio, least, most float64) {
	var all []float64
	for n := range r.ours {
		all = append(all, number(r.theirs[n])/number(r.ours[n]))
	}
	return median(r.theirs, number) / median(r.ours, number), slices.Min(all), slices.Max(all)
}
