package safetensors

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const golden = "../../../shared/golden"

// TestGolden reads every file that trusted programs wrote, and writes it again, byte for byte.
func TestGolden(t *testing.T) {
	files := goldenFiles(t)
	for _, path := range files {
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		f, err := Open(path)
		require.NoError(t, err)
		var got bytes.Buffer
		require.NoError(t, Encode(&got, collect(f), f.Metadata()), path)
		if !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%s: differs when written again\n%.300q\n%.300q", path, want, got.Bytes())
		}
		require.NoError(t, f.Close())
	}
	t.Logf("%d files", len(files))
}

func goldenFiles(t *testing.T) []string {
	if _, err := os.Stat(golden); err != nil {
		t.Skipf("no golden files: %v", err)
	}
	var files []string
	err := filepath.WalkDir(golden, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".safetensors") {
			files = append(files, path)
		}
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func collect(f *File) (tensors []Tensor) {
	for t := range f.All() {
		tensors = append(tensors, t)
	}
	return tensors
}
