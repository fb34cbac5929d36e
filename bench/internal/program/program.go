// Package program builds and runs the programs that are measured.
package program

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

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
