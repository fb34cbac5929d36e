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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(Status(p(ctx, Env{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]), os.Stderr))
}

// Status is the exit status for the outcome of a program, whose error it writes.
func Status(err error, w io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(w, strings.ReplaceAll(err.Error(), "\n", " "))
	return 1
}

// Flags is a flag set whose errors are returned, and whose help is the usage and all defaults.
func Flags(e Env, name, usage string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {
		f.SetOutput(e.Err)
		fmt.Fprintf(e.Err, "%s\n\n", usage)
		f.PrintDefaults()
		f.SetOutput(io.Discard)
	}
	return f
}

// Parse parses arguments, all of which must be flags, and wants the named ones to be given.
func Parse(f *flag.FlagSet, args []string, required ...string) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%s: %w; -h lists the flags", f.Name(), err)
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%s: found %q, expected only flags; -h lists them", f.Name(), f.Arg(0))
	}
	for _, name := range required {
		if f.Lookup(name).Value.String() == "" {
			return fmt.Errorf("%s: -%s is missing: %s", f.Name(), name, f.Lookup(name).Usage)
		}
	}
	return nil
}

// A List is a flag that may be given several times.
type List []string

// String joins the values.
func (l *List) String() string { return strings.Join(*l, ",") }

// Set adds a value.
func (l *List) Set(v string) error {
	*l = append(*l, v)
	return nil
}
