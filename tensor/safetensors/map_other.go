//go:build !unix

package safetensors

import (
	"io"

	"golang.org/x/exp/mmap"
)

// forget does nothing: what has been read cannot be read again.
func forget([]byte) {}

// mapFile reads a file. The mapping of package mmap hands out no memory, only copies.
func mapFile(path string) (data []byte, unmap func() error, err error) {
	file, err := mmap.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	data = make([]byte, file.Len())
	if _, err := file.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}
