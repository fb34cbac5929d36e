package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"peft/examples/internal/cli"
)

// table prints how the contenders did. Memory is that of tensors, beside the base.
func table(out io.Writer, rows []row) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\ntask\tmethod\tfamily\ttrained\t% of model\taccuracy\tseconds\tadapter file\tpeak memory\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.3f\t%.1f %%\t%.1f\t%s kB\t%.1f MB\t\n", r.Task, r.Method, r.Family, cli.Count(r.Trainable), r.Percent,
			100*r.Accuracy, r.Seconds, cli.Count(int(r.FileBytes+512)/1024), float64(r.peak)/(1<<20))
	}
	return w.Flush()
}
