package train_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"peft/tensor"
	"peft/train"
)

func TestLogOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	r, err := train.Run(t.Context(), newTiny(8).job(t, tensor.Reference()), train.Config{Steps: 3, LR: 0.1, Log: full})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "train: log of step 1: ")
	require.Equal(t, 1, r.Steps)
}

// TestCheckpointOnAFullDisk goes on in a process that may write files of at most 2 KiB: it fails at its first checkpoint, and the old one is as it was.
func TestCheckpointOnAFullDisk(t *testing.T) {
	const key = "TRAIN_TEST_FULL_DISK"
	c := train.Config{Steps: 4, Batch: 4, LR: 0.1, Schedule: "constant", CheckpointEvery: 2, Resume: true}
	if c.Checkpoint = os.Getenv(key); c.Checkpoint != "" {
		c.Steps = 8
		limit := unix.Rlimit{Cur: 2 << 10, Max: 2 << 10}
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &limit))
		r, err := train.Run(t.Context(), newTiny(8).job(t, tensor.Reference()), c)
		require.ErrorIs(t, err, syscall.EFBIG)
		require.ErrorContains(t, err, "train: checkpoint after step 6: ")
		require.Equal(t, 6, r.Steps)
		return
	}
	c.Checkpoint = filepath.Join(t.TempDir(), "checkpoint.safetensors")
	_, err := train.Run(t.Context(), newTiny(8).job(t, tensor.Reference()), c)
	require.NoError(t, err)
	before, err := os.ReadFile(c.Checkpoint)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestCheckpointOnAFullDisk$")
	cmd.Env = append(os.Environ(), key+"="+c.Checkpoint)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	after, err := os.ReadFile(c.Checkpoint)
	require.NoError(t, err)
	require.Equal(t, before, after)
	files, err := os.ReadDir(filepath.Dir(c.Checkpoint))
	require.NoError(t, err)
	require.Len(t, files, 1)
}
