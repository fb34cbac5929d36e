package main

import (
	"fmt"
	"strings"
)

// table shows the rows, family by family.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| method | trained | of the model | learning rate | accuracy | PyTorch |\n|---|---:|---:|---:|---:|---:|\n")
	family := ""
	for _, r := range rows {
		if r.family != family {
			family = r.family
			fmt.Fprintf(&b, "| **%s** | | | | | |\n", family)
		}
		theirs := ""
		if r.pytorch != nil {
			theirs = percent(*r.pytorch)
		}
		fmt.Fprintf(&b, "| `%s` | %d | %.2f %% | %g | %s | %s |\n", r.name, r.Trainable, r.Percent, r.rate, percent(r.Accuracy), theirs)
	}
	return b.String()
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
