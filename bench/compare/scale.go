package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// A rung is how long a step takes with a number of threads.
type rung struct {
	threads int
	turns   []turn
}

// scale times the steps with 1, 2, 4, … threads, taking turns, if they are asked for and there is more than one processor.
func scale(ctx context.Context, o options, told io.Writer) (ladder []rung, err error) {
	if o.most < 2 || !o.only.MatchString(scaled.name) {
		return nil, nil
	}
	for n := 1; n <= o.most; n *= 2 {
		ladder = append(ladder, rung{threads: n})
	}
	for range o.rounds {
		for i := range ladder {
			t, err := take(ctx, join([]string{filepath.Join(o.programs, "bench")}, scaled.arguments(o, ladder[i].threads)))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", scaled.name, err)
			}
			ladder[i].turns = append(ladder[i].turns, t)
			fmt.Fprintf(told, "%s, %d threads: %.4g\n", scaled.name, ladder[i].threads, t.StepMS)
		}
	}
	return ladder, nil
}

// threadsTable writes what more threads gain: how much faster the steps are than with one, and which share that is of what so many threads could gain at most.
func (r report) threadsTable(b *strings.Builder) {
	if len(r.scaling) == 0 {
		return
	}
	fmt.Fprintf(b, "### More threads\n\n%s, ours. Milliseconds are the median of %d rounds, each the median of %d steps.\n\n", scaled.name, r.rounds, r.steps)
	b.WriteString("| threads | ms | times as fast as one | of so many times |\n|---:|---:|---:|---:|\n")
	milliseconds := func(t turn) float64 { return t.StepMS }
	one := median(r.scaling[0].turns, milliseconds)
	for _, s := range r.scaling {
		ms := median(s.turns, milliseconds)
		fmt.Fprintf(b, "| %d | %s | %.2f | %.0f %% |\n", s.threads, short(ms), one/ms, 100*one/ms/float64(s.threads))
	}
	b.WriteString("\n")
}
