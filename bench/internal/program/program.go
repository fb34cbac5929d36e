// Package program builds and runs the programs that are measured.
package program

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
)

// Main is what a program that measures does: it reads its flags and runs until it is done or interrupted.
func Main[O any](parse func(args []string, w io.Writer) (O, error), run func(context.Context, O) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Build compiles packages, named from the module's root where it is run, into a folder; where git is there, the programs know their commit.
func Build(ctx context.Context, dir string, packages ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-buildvcs=auto", "-o", dir}, packages...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build, from the module's root: %w: %s", err, lastLine(string(out)))
	}
	return nil
}

// Run runs a command and decodes the JSON object that is the last line that it prints. The error of one that fails is the last that it said.
func Run(ctx context.Context, command []string, result any) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, lastLine(errs.String()))
	}
	if err := json.Unmarshal([]byte(lastLine(out.String())), result); err != nil {
		return fmt.Errorf("%s: its last line is no JSON object: %w", strings.Join(command, " "), err)
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
