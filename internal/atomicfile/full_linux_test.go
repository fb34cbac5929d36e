package atomicfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"peft/internal/atomicfile"
)

// TestFullDisk runs itself in a process that may write files of at most 64 KiB, and sees what the system's refusal of the rest does.
func TestFullDisk(t *testing.T) {
	const key = "ATOMICFILE_TEST_FULL_DISK"
	if dir := os.Getenv(key); dir != "" {
		writeToFullDisk(t, dir)
		return
	}
	dir := t.TempDir()
	require.NoError(t, atomicfile.WriteFile(filepath.Join(dir, "x"), text("old")))
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
	cmd.Env = append(os.Environ(), key+"="+dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, []string{"x"}, names(t, dir))
	assert.Equal(t, "old", read(t, filepath.Join(dir, "x")))
}

func writeToFullDisk(t *testing.T, dir string) {
	limit := unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &limit))
	assert.ErrorIs(t, atomicfile.WriteFile(filepath.Join(dir, "x"), broken), syscall.EFBIG)
	assert.ErrorIs(t, atomicfile.WriteDir(dir, func(tmp string) error {
		return atomicfile.WriteFile(filepath.Join(tmp, "x"), broken)
	}), syscall.EFBIG)
}
