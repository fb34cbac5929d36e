package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/examples/internal/cli"
	"peft/internal/golden"
)

// runSweep runs the program and returns its results, and what it told people.
func runSweep(ctx context.Context, args ...string) (out, people string, err error) {
	var o, p bytes.Buffer
	err = run(ctx, cli.Env{Out: &o, Err: &p}, args)
	return o.String(), p.String(), err
}

func TestTable(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "map.png")
	out, people, err := runSweep(context.Background(), "-lr", "1e-3,1e-2", "-rank", "2,4", "-alpha", "8", "-where", "query+value", "-steps", "1", "-parallel", "2", "-picture", picture)
	require.NoError(t, err)
	require.Regexp(t, `lr +r +lora_alpha +target_modules +trained +% of model +steps +loss +accuracy +seconds`, out)
	for _, row := range []string{`1e-3 +2 +8 +query\+value +10,756 `, `1e-3 +4 `, `1e-2 +2 `, `1e-2 +4 +8 +query\+value +19,972 `} {
		require.Regexp(t, row, out)
	}
	require.Contains(t, people, "run 4 of 4")
	f, err := os.Open(picture)
	require.NoError(t, err)
	defer f.Close()
	_, err = png.Decode(f)
	require.NoError(t, err)
}

// lines are the program's lines of JSON.
func lines(t *testing.T, out string) (all []line) {
	for text := range strings.Lines(out) {
		var l line
		require.NoError(t, json.Unmarshal([]byte(text), &l))
		all = append(all, l)
	}
	return all
}

func TestHalving(t *testing.T) {
	out, _, err := runSweep(context.Background(), "-how", "halving", "-factor", "2", "-trials", "4", "-steps", "4", "-method", "bitfit", "-json", "-picture", "")
	require.NoError(t, err)
	all := lines(t, out)
	require.Len(t, all, 4+2+1+1)
	for i, l := range all {
		require.Equal(t, []int{1, 1, 1, 1, 2, 2, 4, 4}[i], l.Steps)
		require.Equal(t, 14596, l.Trainable)
	}
	best := all[7]
	require.True(t, best.Best)
	require.Equal(t, all[6].Trial, best.Trial)
	require.Equal(t, *all[6].Accuracy, *best.Accuracy)
}

// TestParallel compares runs that had a base to themselves with runs that shared it.
func TestParallel(t *testing.T) {
	results := func(parallel string) map[int]float64 {
		out, _, err := runSweep(context.Background(), "-trials", "4", "-steps", "2", "-json", "-picture", "", "-parallel", parallel, "-threads", "1")
		require.NoError(t, err)
		loss := map[int]float64{}
		for _, l := range lines(t, out) {
			loss[l.Trial] = *l.Loss
		}
		return loss
	}
	require.Equal(t, results("1"), results("4"))
}

// TestDiverged takes a run that leads nowhere for a result.
func TestDiverged(t *testing.T) {
	out, _, err := runSweep(context.Background(), "-method", "full", "-lr", "1e-4,1e30", "-steps", "4", "-json", "-picture", "")
	require.NoError(t, err)
	all := lines(t, out)
	require.Len(t, all, 3)
	require.InDelta(t, 1e-4, all[2].LR, 0)
	require.NotNil(t, all[2].Loss)
}

func TestOwnData(t *testing.T) {
	dir := golden.Shared(t, "data", "quickstart")
	out, _, err := runSweep(context.Background(), "-model", dir, "-data", filepath.Join(dir, "era", "test.jsonl"), "-method", "head", "-lr", "1e-2", "-steps", "1", "-json", "-picture", "")
	require.NoError(t, err)
	require.Equal(t, 1155, lines(t, out)[0].Trainable)
}

func TestRefusals(t *testing.T) {
	for says, args := range map[string][]string{
		"random or halving":                {"-how", "grid"},
		"expected a range":                 {"-lr", "1e-2:1e-4"},
		"expected values":                  {"-lr", "fast"},
		`found "0" in "1e-3,0"`:            {"-lr", "1e-3,0"},
		`-task is "chess"`:                 {"-task", "chess", "-model", "m", "-data", "d"},
		"-task needs -model":               {"-task", "mlm"},
		"-threads is -2":                   {"-threads", "-2"},
		"no_such_field":                    {"-vary", "no_such_field=1,2"},
		"FIELD=VALUES":                     {"-vary", "r"},
		"-trials is too small":             {"-trials", "0"},
		"-model and -data":                 {"-model", "somewhere"},
		"expected a name or a JSON object": {"-method", "{"},
		"magic":                            {"-method", "magic"},
		"ends in .png":                     {"-picture", "map.txt"},
		"nothing_of_the_kind":              {"-where", "nothing_of_the_kind"},
		"no such file or directory":        {"-model", "/nowhere", "-data", "/nowhere"},
	} {
		_, _, err := runSweep(context.Background(), append([]string{"-picture", "", "-steps", "1", "-trials", "1"}, args...)...)
		require.ErrorContains(t, err, says)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	cancel(stop)
	out, _, err := runSweep(ctx, "-picture", "")
	require.ErrorIs(t, err, stop)
	require.Empty(t, out)
}
