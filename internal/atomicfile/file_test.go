package atomicfile_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"peft/internal/atomicfile"
)

var errStop = errors.New("stop")

// text writes s.
func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// broken writes some megabyte and fails.
func broken(w io.Writer) error {
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		return err
	}
	return errStop
}

func read(t testing.TB, path string) string {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

// names is what is in a folder, hidden or not.
func names(t testing.TB, dir string) (list []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	for _, s := range []string{"first", "second", ""} {
		require.NoError(t, atomicfile.WriteFile(path, text(s)))
		assert.Equal(t, s, read(t, path))
		assert.Equal(t, []string{"x.json"}, names(t, dir))
	}
}

func TestFailureLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	assert.ErrorIs(t, atomicfile.WriteFile(path, broken), errStop)
	assert.Empty(t, names(t, dir))
	require.NoError(t, atomicfile.WriteFile(path, text("old")))
	err := atomicfile.WriteFile(path, broken)
	assert.ErrorIs(t, err, errStop)
	assert.EqualError(t, err, "write "+path+": stop")
	assert.Equal(t, "old", read(t, path))
	assert.Equal(t, []string{"x.json"}, names(t, dir))
}

func TestPanicLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	require.NoError(t, atomicfile.WriteFile(path, text("old")))
	assert.Panics(t, func() {
		_ = atomicfile.WriteFile(path, func(io.Writer) error { panic("in write") })
	})
	assert.Equal(t, "old", read(t, path))
	assert.Equal(t, []string{"x.json"}, names(t, dir))
}

func TestOnlyRegularFilesAreReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "folder")
	require.NoError(t, os.Mkdir(path, 0o777))
	assert.ErrorContains(t, atomicfile.WriteFile(path, text("x")), "found a folder, expected a regular file or none")
	assert.Equal(t, []string{"folder"}, names(t, dir))
	assert.ErrorIs(t, atomicfile.WriteFile(filepath.Join(dir, "missing", "x"), text("x")), os.ErrNotExist)
	if runtime.GOOS == "linux" {
		assert.ErrorContains(t, atomicfile.WriteFile("/dev/full", text("x")), "found a device, expected a regular file")
	}
}

func TestPermissionsAreKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions")
	}
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(path, nil, 0o640))
	require.NoError(t, os.Chmod(path, 0o604))
	require.NoError(t, atomicfile.WriteFile(path, text("new")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o604), info.Mode())
}

func TestSymbolicLinkIsReplaced(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(target, []byte("old"), 0o666))
	if err := os.Symlink(target, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	require.NoError(t, atomicfile.WriteFile(link, text("new")))
	assert.Equal(t, "old", read(t, target))
	assert.Equal(t, "new", read(t, link))
}

func ExampleWriteFile() {
	path := filepath.Join(os.TempDir(), "atomicfile-example.txt")
	defer os.Remove(path)
	err := atomicfile.WriteFile(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "all of it")
		return err
	})
	fmt.Println(err)
	// Output: <nil>
}
