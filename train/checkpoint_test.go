package train_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/optim"
	"peft/tensor/safetensors"
	"peft/train"
)

// recipe is a run with everything that a checkpoint must hold.
func recipe(dir string) train.Config {
	return train.Config{
		Steps: 9, Batch: 3, Accumulate: 2, LR: 0.1, WeightDecay: 0.01, Clip: 0.5, Seed: 5, EvalEvery: 2, KeepBest: true,
		Checkpoint: filepath.Join(dir, "run", "checkpoint.safetensors"), CheckpointEvery: 4, Resume: true,
	}
}

// TestResumeIsBitForBit stops a run after every number of steps and lets it go on.
func TestResumeIsBitForBit(t *testing.T) {
	for name, d := range map[string]*tensor.Device{"reference": tensor.Reference(), "cpu": tensor.CPU(2)} {
		m := newTiny(11)
		whole := m.job(t, d)
		want, err := train.Run(t.Context(), whole, recipe(t.TempDir()))
		require.NoError(t, err)
		for stop := 1; stop < 9; stop++ {
			c := recipe(t.TempDir())
			ctx, cancel := context.WithCancel(t.Context())
			first := m.job(t, d)
			first.Loss = after(2*stop, m.loss, cancel)
			r, err := train.Run(ctx, first, c)
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, stop, r.Steps)

			second := m.job(t, d)
			got, err := train.Run(t.Context(), second, c)
			require.NoError(t, err)
			require.Equal(t, values(whole.Patch), values(second.Patch), "%s stopped after %d", name, stop)
			require.Equal(t, want.Evals, got.Evals)
			require.Equal(t, []any{want.Steps, want.Loss, want.Tokens}, []any{got.Steps, got.Loss, got.Tokens})
			require.Greater(t, got.Seconds, r.Seconds)
		}
	}
}

// TestResumeOfAKilledRun goes on from the checkpoint before a run that ended without a word, and with its log.
func TestResumeOfAKilledRun(t *testing.T) {
	m, dir := newTiny(11), t.TempDir()
	logged := func(name string, c train.Config, j train.Job) (string, error) {
		l, err := train.OpenLog(filepath.Join(dir, name))
		require.NoError(t, err)
		c.Log = l
		_, err = train.Run(t.Context(), j, c)
		require.NoError(t, l.Close())
		text, e := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, e)
		return string(text), err
	}
	want, err := logged("whole", recipe(t.TempDir()), m.job(t, tensor.Reference()))
	require.NoError(t, err)

	c, killed := recipe(dir), m.job(t, tensor.Reference())
	killed.Loss = after(14, m.loss, func() { panic("killed") })
	require.Panics(t, func() { _, _ = logged("parts", c, killed) })
	got, err := logged("parts", c, m.job(t, tensor.Reference()))
	require.NoError(t, err)
	require.Equal(t, withoutSpeed(want), withoutSpeed(got))
}

// withoutSpeed is a log without what differs from run to run.
func withoutSpeed(log string) (lines []string) {
	for line := range strings.Lines(log) {
		head, _, _ := strings.Cut(line, `,"tokens_per_second"`)
		lines = append(lines, head)
	}
	return lines
}

func TestResumeAfterTheEndDoesNothing(t *testing.T) {
	c, m := recipe(t.TempDir()), newTiny(11)
	j := m.job(t, tensor.Reference())
	want, err := train.Run(t.Context(), j, c)
	require.NoError(t, err)
	again := m.job(t, tensor.Reference())
	again.Loss = func(*peft.Pass, []int) (train.Loss, error) { return train.Loss{}, errors.New("called") }
	got, err := train.Run(t.Context(), again, c)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, values(j.Patch), values(again.Patch))
}

func TestRunThatDidNothingLeavesTheCheckpointAlone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := recipe(t.TempDir())
	r, err := train.Run(ctx, newTiny(11).job(t, tensor.Reference()), c)
	require.EqualError(t, err, "train: interrupted after step 0 of 9: context canceled")
	require.True(t, r.Interrupted)
	require.NoFileExists(t, c.Checkpoint)
}

func TestCheckpointsThatDoNotFit(t *testing.T) {
	c, m := recipe(t.TempDir()), newTiny(11)
	_, err := train.Run(t.Context(), m.job(t, tensor.Reference()), c)
	require.NoError(t, err)
	for want, spoil := range map[string]func(*train.Config){
		`found examples taken as {"examples":11,"batch":3,"accumulate":2,`: func(c *train.Config) { c.Batch = 4 },
		`"seed":5}, want {"examples":11,`:                                  func(c *train.Config) { c.Seed = 6 },
		"train: resume: ": func(c *train.Config) {
			require.NoError(t, os.WriteFile(c.Checkpoint+"x", []byte("no checkpoint"), 0o666))
			c.Checkpoint += "x"
		},
		"not a checkpoint of this package": func(c *train.Config) {
			c.Checkpoint += "y"
			require.NoError(t, safetensors.Write(c.Checkpoint, nil, nil))
		},
		`found a tensor "moment/classes.bias/m", want none of that name`: func(c *train.Config) {
			c.Rule = func(*peft.Param) optim.Rule { return optim.SGD{LR: 1} }
		},
		`found no tensor "param/`: func(c *train.Config) { edit(t, &c.Checkpoint, func(x *safetensors.Tensor) { x.Name += "?" }) },
		"has shape [1 1 1": func(c *train.Config) {
			edit(t, &c.Checkpoint, func(x *safetensors.Tensor) { x.Shape = append([]int{1, 1, 1}, x.Shape...) })
		},
	} {
		j, c := m.job(t, tensor.Reference()), c
		before := values(j.Patch)
		spoil(&c)
		_, err := train.Run(t.Context(), j, c)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "train: resume")
		require.Equal(t, before, values(j.Patch))
	}
}

// edit writes a copy of a checkpoint with changed tensors.
func edit(t *testing.T, path *string, change func(*safetensors.Tensor)) {
	f, err := safetensors.Open(*path)
	require.NoError(t, err)
	defer f.Close()
	var all []safetensors.Tensor
	for x := range f.All() {
		change(&x)
		all = append(all, x)
	}
	*path += "edited"
	require.NoError(t, safetensors.Write(*path, all, f.Metadata()))
}

// FuzzResume lets a run go on from a file that anybody may have written.
func FuzzResume(f *testing.F) {
	m, c := newTiny(3), train.Config{Steps: 2, Batch: 2, LR: 0.1, Checkpoint: filepath.Join(f.TempDir(), "x"), Resume: true}
	_, err := train.Run(f.Context(), m.job(f, tensor.Reference()), c)
	require.NoError(f, err)
	text, err := os.ReadFile(c.Checkpoint)
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		c.Checkpoint = filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(c.Checkpoint, text, 0o666))
		_, _ = train.Run(t.Context(), m.job(t, tensor.Reference()), c)
	})
}
