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
	"gonum.org/v1/plot/vg"

	"peft/examples/internal/cli"
	"peft/train"
)

// quickstart runs the program and returns its results, and what it told people.
func quickstart(ctx context.Context, args ...string) (out, people string, err error) {
	var o, p bytes.Buffer
	err = run(ctx, cli.Env{Out: &o, Err: &p}, args)
	return o.String(), p.String(), err
}

func TestLines(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "all.png")
	out, people, err := quickstart(context.Background(), "-json", "-steps", "1", "-test", "100", "-picture", picture)
	require.NoError(t, err)
	require.Contains(t, people, picture)
	var seen []string
	for line := range strings.Lines(out) {
		var keys map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &keys))
		require.Len(t, keys, 10)
		var r row
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		require.InDelta(t, 100*float64(r.Trainable)/float64(r.Total), r.Percent, 1e-9, r.Method)
		require.Positive(t, r.Loss, r.Method)
		require.Greater(t, r.Accuracy, 0.1, r.Method)
		require.Less(t, r.Trainable, 4*int(r.FileBytes), r.Method)
		seen = append(seen, r.Task+" "+r.Method)
	}
	var want []string
	for _, c := range contenders {
		want = append(want, "words "+c.name)
	}
	require.Equal(t, append(want, "era lora"), seen)
	f, err := os.Open(picture)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.DecodeConfig(f)
	require.NoError(t, err)
	require.Greater(t, img.Width, 2000)
}

func TestTable(t *testing.T) {
	out, _, err := quickstart(context.Background(), "-methods", "head", "-steps", "2", "-test", "100", "-picture", "")
	require.NoError(t, err)
	require.Regexp(t, `words\s+lora\s+reparameterised\s+38,404\s+0\.390`, out)
	require.Regexp(t, `words\s+head\s+baseline\s+1,540\s+0\.016`, out)
	require.Regexp(t, `era\s+lora\s+reparameterised\s+38,019`, out)
	_, batch, ok := strings.Cut(out, "One mixed batch")
	require.True(t, ok)
	require.Equal(t, 3, strings.Count(batch, "words  "))
	require.Equal(t, 3, strings.Count(batch, "era    "))
}

func TestRefusals(t *testing.T) {
	for says, args := range map[string][]string{
		"-steps is -1": {"-steps", "-1"}, "-nothing": {"-nothing"}, "expected only flags": {"lora"}, `found "magic"`: {"-methods", "lora,magic"},
		"ends in .png": {"-picture", "x.gif"}, "cannot be written": {"-picture", "/nowhere/at/all.png"},
	} {
		_, _, err := quickstart(context.Background(), args...)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	cancel(stop)
	out, _, err := quickstart(ctx, "-methods", "lora", "-picture", "")
	require.ErrorIs(t, err, stop)
	require.Empty(t, out)
}

// A trigger does something when a text is written to it.
type trigger struct {
	text string
	do   func()
}

func (t trigger) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(t.text)) {
		t.do()
	}
	return len(b), nil
}

// TestInterruptedLater wants what was learned before an interruption to be shown.
func TestInterruptedLater(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	var out bytes.Buffer
	e := cli.Env{Out: &out, Err: trigger{"by lora", func() { cancel(stop) }}}
	require.ErrorIs(t, run(ctx, e, []string{"-methods", "head", "-steps", "1", "-test", "50", "-picture", ""}), stop)
	require.Regexp(t, `words\s+head\s+baseline`, out.String())
	require.NotContains(t, out.String(), "lora")
}

// TestNames keeps names apart from each other and from points.
func TestNames(t *testing.T) {
	canvas := vg.Rectangle{Max: vg.Point{X: 200, Y: 200}}
	point := around(vg.Point{X: 190, Y: 100}, 9, 9)
	box := room(point, 40, 10, canvas, []vg.Rectangle{point})
	require.True(t, inside(box, canvas), "a name at the right edge stands to the left")
	again := room(point, 40, 10, canvas, []vg.Rectangle{point, box})
	require.False(t, overlap(box, again))
}

func TestApart(t *testing.T) {
	require.Equal(t, []vg.Length{100, 50, 0}, apart([]vg.Length{100, 50, 0}, 10, 100), "nothing is moved that has room")
	require.Equal(t, []vg.Length{60, 50, 40}, apart([]vg.Length{51, 50, 49}, 10, 100))
	require.Equal(t, []vg.Length{52, 42}, apart([]vg.Length{51, 50}, 10, 52))
}

func TestBounds(t *testing.T) {
	r := row{curve: []train.Eval{{Score: train.Score{Accuracy: 0.31}}, {Score: train.Score{Accuracy: 0.62}}}}
	lo, hi := bounds([]row{r}, func(r row) []train.Eval { return r.curve })
	require.Equal(t, []float64{30, 65}, []float64{lo, hi})
}
