// Package cli is what the example programs share: how they start, stop and complain.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

// An Env is what a program reads from and writes to.
type Env struct {
	In       io.Reader
	Out, Err io.Writer // results, and what is for people
}

// A Program does its work with its arguments. The context ends when it is interrupted.
type Program func(ctx context.Context, e Env, args []string) error

// gcPercent is by how much the heap may grow before garbage is collected: it is a few large buffers, quickly looked through, and half of a training step's memory is better spent otherwise.
const gcPercent = 5

// Main runs a program on the process's own files. An error is one line on standard error and exit status 1; so are flags that are wrong.
func Main(p Program) {
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who interrupts twice does not want to wait
	os.Exit(Status(p(ctx, Env{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]), os.Stderr))
}

// Status is the exit status for the outcome of a program, whose error it writes.
func Status(err error, w io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(w, strings.ReplaceAll(err.Error(), "\n", "; "))
	return 1
}

// Flags is a flag set whose errors are returned, and whose help is the usage and each flag with its default.
func Flags(e Env, name, usage string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {
		fmt.Fprintf(e.Err, "%s\n\n", usage)
		f.VisitAll(func(g *flag.Flag) { explain(e.Err, g) })
	}
	return f
}

// mandatory is the default of a flag that has none.
const mandatory = "none: it must be given"

// explain tells what a flag means, with its default, also one that is zero or empty.
func explain(w io.Writer, g *flag.Flag) {
	kind, usage := flag.UnquoteUsage(g)
	value := g.DefValue
	if value == "" {
		value = `""`
	}
	fmt.Fprintf(w, "  %s\n    \t%s (default %s)\n", strings.TrimSpace("-"+g.Name+" "+kind), usage, value)
}

// Parse parses arguments, all of which must be flags, and wants the named ones to be given. Help is written where it is asked for, and nowhere else.
func Parse(f *flag.FlagSet, args []string, required ...string) error {
	for _, name := range required {
		f.Lookup(name).DefValue = mandatory
	}
	help := f.Usage
	f.Usage = func() {}
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		help()
		return err
	} else if err != nil {
		return fmt.Errorf("%s: %w; -h lists the flags", f.Name(), err)
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%s: found %q, expected only flags; -h lists them", f.Name(), f.Arg(0))
	}
	for _, name := range required {
		if g := f.Lookup(name); g.Value.String() == "" {
			_, usage := flag.UnquoteUsage(g)
			return fmt.Errorf("%s: -%s is missing: %s", f.Name(), name, usage)
		}
	}
	return nil
}

// Given are the names of the flags that were given, whatever their values.
func Given(f *flag.FlagSet) map[string]bool {
	given := map[string]bool{}
	f.Visit(func(g *flag.Flag) { given[g.Name] = true })
	return given
}

// OnlyWith wants none of some flags to be given without another flag, without which they would do nothing.
func OnlyWith(f *flag.FlagSet, other string, names ...string) error {
	given := Given(f)
	for _, name := range names {
		if given[name] && !given[other] {
			return fmt.Errorf("%s: -%s does nothing without -%s", f.Name(), name, other)
		}
	}
	return nil
}

// Threads wants a number of threads to be one, or 0 for that of the processors.
func Threads(n int) error {
	if n < 0 || n > mostThreads {
		return fmt.Errorf("-threads is %d, expected 1 to %d, or 0 for one for each processor", n, mostThreads)
	}
	return nil
}

// mostThreads is more than any machine has use for.
const mostThreads = 1 << 12

// A List is a flag that may be given several times.
type List []string

// String joins the values.
func (l *List) String() string { return strings.Join(*l, ",") }

// Set adds a value.
func (l *List) Set(v string) error {
	if v == "" {
		return errors.New("it is empty")
	}
	*l = append(*l, v)
	return nil
}
