package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"peft/examples/internal/cli"
)

// String is how good a result is.
func (r result) String() string {
	switch {
	case math.IsNaN(r.score.Loss):
		return "diverged"
	case math.IsNaN(r.score.Accuracy):
		return fmt.Sprintf("loss %.4f", r.score.Loss)
	}
	return fmt.Sprintf("%.1f %%", 100*r.score.Accuracy)
}

// setting is a trial in words.
func (s *sweep) setting(t *trial) string {
	var words []string
	for i, a := range s.axes {
		words = append(words, a.field+" "+t.point[i].text)
	}
	return strings.Join(words, ", ")
}

// table prints results.
func (s *sweep) table(results []result) error {
	w := tabwriter.NewWriter(s.env.Out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\n")
	for _, a := range s.axes {
		fmt.Fprint(w, a.field, "\t")
	}
	fmt.Fprintln(w, "trained\t% of model\tsteps\tloss\taccuracy\tseconds\t")
	for _, r := range results {
		for _, v := range r.point {
			fmt.Fprint(w, v.text, "\t")
		}
		fmt.Fprintf(w, "%s\t%.3f\t%d\t%.4f\t%s\t%.1f\t\n", cli.Count(r.trainable), r.percent, r.steps, r.score.Loss, r, r.seconds)
	}
	return w.Flush()
}

// A line is a run as JSON.
type line struct {
	Trial     int            `json:"trial"`
	Steps     int            `json:"steps"`
	LR        float64        `json:"lr"`
	Method    map[string]any `json:"method"`
	Trainable int            `json:"trainable"`
	Percent   float64        `json:"percent"`
	Accuracy  *float64       `json:"accuracy"` // null where there is none
	Loss      *float64       `json:"loss"`     // null where the run diverged
	Seconds   float64        `json:"seconds"`
	Best      bool           `json:"best,omitempty"`
}

func (s *sweep) line(r result, best bool) line {
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	return line{r.number, r.steps, r.rate, r.config, r.trainable, r.percent, finite(r.score.Accuracy), finite(r.score.Loss), r.seconds, best}
}

// print prints a result as JSON, if that is asked for.
func (s *sweep) print(r result) error {
	if !s.json {
		return nil
	}
	return json.NewEncoder(s.env.Out).Encode(s.line(r, false))
}
