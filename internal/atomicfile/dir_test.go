package atomicfile_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"peft/internal/atomicfile"
)

// files writes files of the given names, whose content is s, and then returns err.
func files(s string, err error, names ...string) func(string) error {
	return func(tmp string) error {
		for _, name := range names {
			path := filepath.Join(tmp, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(s), 0o666); err != nil {
				return err
			}
		}
		return err
	}
}

func TestWriteNewDir(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "a", "model")
	require.NoError(t, atomicfile.WriteDir(dir+"/", files("1", nil, "config.json", "sub/x")))
	assert.Equal(t, []string{"model"}, names(t, filepath.Dir(dir)))
	assert.Equal(t, []string{"config.json", "sub"}, names(t, dir))
	assert.Equal(t, "1", read(t, filepath.Join(dir, "sub", "x")))
}

func TestWriteIntoDir(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, files("old", nil, "config.json", "sub/x", "mine")(dir))
	require.NoError(t, atomicfile.WriteDir(dir, files("new", nil, "config.json", "sub/x", "sub/y", "z/z")))
	assert.Equal(t, []string{"config.json", "mine", "sub", "z"}, names(t, dir))
	for name, want := range map[string]string{"config.json": "new", "mine": "old", "sub/x": "new", "sub/y": "new", "z/z": "new"} {
		assert.Equal(t, want, read(t, filepath.Join(dir, name)), name)
	}
}

func TestFailureLeavesNoDir(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "model")
	err := atomicfile.WriteDir(dir, files("1", errStop, "config.json"))
	assert.EqualError(t, err, "write folder "+dir+": stop")
	assert.Empty(t, names(t, parent))
	assert.Panics(t, func() { _ = atomicfile.WriteDir(dir, func(string) error { panic("in fill") }) })
	assert.Empty(t, names(t, parent))
}

func TestFailureLeavesTheOldDir(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, files("old", nil, "a", "b")(dir))
	assert.ErrorIs(t, atomicfile.WriteDir(dir, files("new", errStop, "a", "b", "c")), errStop)
	assert.Equal(t, []string{"a", "b"}, names(t, dir))
	assert.Equal(t, "old", read(t, filepath.Join(dir, "a")))
}

// TestWhatStandsInTheWay is found before the first file is moved.
func TestWhatStandsInTheWay(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, files("old", nil, "a", "b/file", "c")(dir))
	err := atomicfile.WriteDir(dir, files("new", nil, "a", "b"))
	assert.ErrorContains(t, err, filepath.Join(dir, "b")+": found a folder, expected a regular file")
	err = atomicfile.WriteDir(dir, files("new", nil, "a", "c/file"))
	assert.ErrorContains(t, err, filepath.Join(dir, "c")+": found a file, expected a folder")
	assert.Equal(t, []string{"a", "b", "c"}, names(t, dir))
	assert.Equal(t, "old", read(t, filepath.Join(dir, "a")))
	assert.ErrorContains(t, atomicfile.WriteDir(filepath.Join(dir, "a"), files("", nil)), "found a file, expected a folder or nothing")
}

func ExampleWriteDir() {
	dir := filepath.Join(os.TempDir(), "atomicfile-example")
	defer os.RemoveAll(dir)
	err := atomicfile.WriteDir(dir, func(tmp string) error {
		for _, name := range []string{"config.json", "model.txt"} {
			err := atomicfile.WriteFile(filepath.Join(tmp, name), func(w io.Writer) error {
				_, err := fmt.Fprintln(w, name)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output: <nil>
}
