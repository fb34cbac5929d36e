package cli_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
)

// flags are those of a program, and what it tells people.
func flags() (f *flag.FlagSet, people *bytes.Buffer) {
	people = &bytes.Buffer{}
	f = cli.Flags(cli.Env{Err: people}, "play", "play [flags]: play music.")
	f.String("song", "", "`file` to play")
	f.String("on", "piano", "instrument to play on")
	f.Int("times", 0, "how often; 0: for ever")
	f.Bool("loud", false, "wake the neighbours")
	f.Var(&cli.List{}, "with", "another `player`")
	return f, people
}

func TestHelp(t *testing.T) {
	f, people := flags()
	err := cli.Parse(f, []string{"-h"}, "song")
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Equal(t, 0, cli.Status(err, people))
	require.Equal(t, `play [flags]: play music.

  -loud
    	wake the neighbours (default false)
  -on string
    	instrument to play on (default piano)
  -song file
    	file to play (default none: it must be given)
  -times int
    	how often; 0: for ever (default 0)
  -with player
    	another player (default "")
`, people.String())
}

// TestOneLine wants what is wrong with flags to be told in one line and nothing else.
func TestOneLine(t *testing.T) {
	for says, args := range map[string][]string{
		"play: -song is missing: file to play\n": {},
		"play: -song is missing: file to play":   {"-song", ""},
		"-tempo":                                 {"-song", "a", "-tempo", "3"},
		`invalid value "x" for flag -times`:      {"-song", "a", "-times", "x"},
		`found "b", expected only flags`:         {"-song", "a", "b"},
		"invalid value \"\" for flag -with":      {"-song", "a", "-with", ""},
	} {
		f, people := flags()
		err := cli.Parse(f, args, "song")
		require.Equal(t, 1, cli.Status(err, people))
		require.Contains(t, people.String(), says)
		require.Equal(t, 1, bytes.Count(people.Bytes(), []byte("\n")), people)
	}
	var line bytes.Buffer
	require.Equal(t, 1, cli.Status(errors.Join(errors.New("it burns"), errors.New("no water")), &line))
	require.Equal(t, "it burns; no water\n", line.String())
}

func TestOnlyWith(t *testing.T) {
	f, _ := flags()
	require.NoError(t, cli.Parse(f, []string{"-loud=false", "-times", "0"}))
	require.Equal(t, map[string]bool{"loud": true, "times": true}, cli.Given(f))
	require.EqualError(t, cli.OnlyWith(f, "song", "on", "loud"), "play: -loud does nothing without -song")
	require.NoError(t, cli.OnlyWith(f, "times", "loud"))
	require.NoError(t, cli.OnlyWith(f, "song", "on"))
}

func TestThreads(t *testing.T) {
	require.NoError(t, cli.Threads(0))
	require.NoError(t, cli.Threads(8))
	require.ErrorContains(t, cli.Threads(-1), "-threads is -1, expected 1 to 4096, or 0")
	require.Error(t, cli.Threads(1<<20))
}

func TestPaths(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	for _, path := range []string{dir, file, filepath.Join(dir, "new"), filepath.Join(dir, "new", "newer")} {
		require.NoError(t, cli.Writable(path), path)
	}
	require.Error(t, cli.Writable(filepath.Join(file, "below a file")))
	require.Error(t, cli.Writable("/dev/null/x"))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)

	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "link")))
	require.True(t, cli.Same(dir, dir+"/link/."))
	require.False(t, cli.Same(dir, file))
	require.False(t, cli.Same(dir, dir+"/nothing"))
	require.False(t, cli.Same(dir+"/nothing", dir+"/nothing"))
}
