//go:build unix

package safetensors

import (
	"errors"
	"fmt"
	"math"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forget drops the whole pages of a part of a mapping; that it fails is no error.
func forget(part []byte) {
	page := os.Getpagesize()
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(part))) % uintptr(page))
	if n := (len(part) - skip) / page * page; n > 0 {
		_ = unix.Madvise(part[skip:skip+n], unix.MADV_DONTNEED)
	}
}

// mapFile maps a file for reading: to write to its data ends the program, to read it shares the pages with everyone who does.
func mapFile(path string) (data []byte, unmap func() error, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close() // The mapping outlives it.
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	switch size := info.Size(); {
	case size == 0:
		return nil, func() error { return nil }, nil
	case size > math.MaxInt:
		return nil, nil, fmt.Errorf("map %s: %d bytes: %w", path, size, errors.ErrUnsupported)
	}
	data, err = unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, err)
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
