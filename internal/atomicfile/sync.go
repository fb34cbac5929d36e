package atomicfile

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// syncFile puts the bytes of a closed file on the disk.
func syncFile(path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

// syncDir puts the names in a folder on the disk. Windows does so by itself, and a file system that cannot sync a folder, and says so, has nothing to sync.
func syncDir(dir string) (err error) {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
