package profile

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// The shares of the time below which an operation, and one of its sizes or functions, has no line of its own.
const leastOp, leastDetail = 0.001, 0.01

// Table writes what an average one of so many steps spends, which took the given time together: a line for each operation, below it its sizes or functions where there are several. Shares are of
// the steps' time, of the machine's peak and of its bandwidth; the last line is what the steps did outside the device.
func (r *Report) Table(w io.Writer, m Machine, steps int, took time.Duration) error {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight), m, steps, took}
	fmt.Fprintf(w, "the machine: %.1f GFLOP/s, %.1f GB/s\n", m.Flops/1e9, m.Bandwidth/1e9)
	fmt.Fprintln(t, "calls\tms\tshare\tGFLOP/s\tof peak\tGB/s\tof memory\t  operation")
	ops := r.Ops()
	var rest Op
	for _, op := range r.ByName() {
		if t.share(op) < leastOp {
			rest.merge(op)
			continue
		}
		t.line(op, op.Name)
		t.details(ops, op)
	}
	t.line(rest, "others")
	all := r.Total()
	t.line(all, "all operations")
	t.line(Op{Time: took - all.Time}, "outside of them")
	return t.Flush()
}

// A table is a Table being written.
type table struct {
	*tabwriter.Writer
	machine Machine
	steps   int
	took    time.Duration
}

// details writes the lines of an operation's sizes or functions, if there are several.
func (t *table) details(ops []Op, of Op) {
	for _, op := range ops {
		if op.Name == of.Name && op.Calls < of.Calls && t.share(op) >= leastDetail {
			t.line(op, "  "+op.Detail)
		}
	}
}

func (t *table) share(op Op) float64 { return op.Time.Seconds() / t.took.Seconds() }

func (t *table) line(op Op, name string) {
	ms := op.Time.Seconds() * 1e3 / float64(t.steps)
	fmt.Fprintf(t, "%s\t%.2f\t%.1f %%\t%s\t%s\t  %s\n", some(op.Calls/t.steps), ms, 100*t.share(op), of(op.FlopRate(), t.machine.Flops), of(op.ByteRate(), t.machine.Bandwidth), name)
}

// some is a count, nothing where it is 0.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// of is two cells: a rate in billions, and its share of the most there can be. They are empty where there is nothing.
func of(rate, most float64) string {
	if rate == 0 || most == 0 {
		return "\t"
	}
	return fmt.Sprintf("%.1f\t%.0f %%", rate/1e9, 100*rate/most)
}
