package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
)

// folder is one with a tokenizer of a few words.
func folder(t *testing.T) string {
	dir := t.TempDir()
	words := "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\nbook\n##s"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(words), 0o666))
	return dir
}

// tokenize runs the program on an input.
func tokenize(t *testing.T, input string, args ...string) (out string, err error) {
	var o bytes.Buffer
	err = run(context.Background(), cli.Env{In: strings.NewReader(input), Out: &o, Err: io.Discard}, append([]string{"-model", folder(t)}, args...))
	return o.String(), err
}

func TestLines(t *testing.T) {
	out, err := tokenize(t, "\ufeff\"good books\"\r\n\n  \"\"  \n\"[MASK]\"")
	require.NoError(t, err)
	require.Equal(t, "[2,5,7,8,3]\n[2,3]\n[2,4,3]\n", out)
	out, err = tokenize(t, `"good <book>"`, "-special=false")
	require.NoError(t, err)
	require.Equal(t, "[5,1,7,1]\n", out)
	out, err = tokenize(t, "[2,5,7,8,3]\n[]\n", "-decode")
	require.NoError(t, err)
	require.Equal(t, "\"good books\"\n\"\"\n", out)
}

func TestBadLines(t *testing.T) {
	for _, c := range []struct{ input, flag, says string }{
		{"\"good\"\ngood\n", "-special", "standard input, line 2: expected a JSON string: invalid character 'g'"},
		{"5", "-special", "line 1: expected a JSON string: found a number, expected a string"},
		{"null", "-special", "line 1: expected a JSON string: found null"},
		{"\"a\xff\"", "-special", "found bytes that are not UTF-8"},
		{"\"good\"", "-decode", "line 1: expected a JSON list of ids: found a string, expected a list"},
		{"[1.5]", "-decode", "expected a JSON list of ids: found 1.5, expected a whole number"},
		{"null", "-decode", "expected a JSON list of ids: found null"},
	} {
		_, err := tokenize(t, c.input, c.flag)
		require.ErrorContains(t, err, c.says)
	}
	err := run(context.Background(), cli.Env{Err: io.Discard}, []string{"-model", t.TempDir()})
	require.ErrorContains(t, err, "found neither tokenizer.json nor vocab.txt")
}

// A full disk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestFullDisk(t *testing.T) {
	err := run(context.Background(), cli.Env{In: strings.NewReader(`"good"`), Out: fullDisk{}, Err: io.Discard}, []string{"-model", folder(t)})
	require.EqualError(t, err, "standard output: no space left on device")
}

// TestAtOnce wants a line to be answered before the next comes, and an interruption to end the wait for one.
func TestAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	in, ask := io.Pipe()
	answer, out := io.Pipe()
	ended, dir := make(chan error, 1), folder(t)
	go func() { ended <- run(ctx, cli.Env{In: in, Out: out, Err: io.Discard}, []string{"-model", dir}) }()
	for range 2 {
		_, err := io.WriteString(ask, "\"bad\"\n")
		require.NoError(t, err)
		line := make([]byte, len("[2,6,3]\n"))
		_, err = io.ReadFull(answer, line)
		require.NoError(t, err)
		require.Equal(t, "[2,6,3]\n", string(line))
	}
	cancel(stop)
	require.ErrorIs(t, <-ended, stop)
}
