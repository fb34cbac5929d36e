package cli

import (
	"os"
	"path/filepath"
)

// Writable makes sure that a file or folder of a name can be made beside what is there. A folder above it that is not there is made when it is needed.
func Writable(path string) error {
	dir := filepath.Dir(filepath.Clean(path))
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		dir = path // where the files of a folder are put that is there
	}
	for {
		_, err := os.Stat(dir)
		if !os.IsNotExist(err) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	probe, err := os.MkdirTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	return os.Remove(probe)
}

// Same reports whether two paths are those of one file or folder that is there.
func Same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
