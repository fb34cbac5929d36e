package safetensors

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
)

const (
	single      = "model.safetensors"
	indexSuffix = ".index.json"
)

// Open maps a file into memory, which takes no time for the data and no memory that could not be given back. The path is that of
//
//   - a safetensors file,
//   - an index, whose name ends in ".index.json", of a model that is cut into several files, which are opened as one, or
//   - a folder that holds either as model.safetensors or model.safetensors.index.json.
//
// Data of the file is valid until [File.Close], if it is not cut short or written to in place meanwhile; to replace it as [Write] does is safe. On systems that
// cannot map files it is read.
func Open(path string) (*File, error) {
	path, err := locate(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, indexSuffix) {
		return openIndex(path)
	}
	f := newFile()
	if err := f.open(path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// locate finds the file or the index if path is a folder.
func locate(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path, err
	}
	for _, name := range []string{single, single + indexSuffix} {
		file := filepath.Join(path, name)
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return "", fmt.Errorf("safetensors: %s: found neither %s nor %s in the folder: %w", path, single, single+indexSuffix, fs.ErrNotExist)
}

// open maps a file and adds its tensors.
func (f *File) open(path string) error {
	if err := regular(path, math.MaxInt); err != nil {
		return err
	}
	data, unmap, err := mapFile(path)
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	f.close = append(f.close, unmap)
	return inFile(path, f.add(data))
}

// regular wants a regular file of at most limit bytes, and does not open it: to open a pipe may wait for ever.
func regular(path string, limit int64) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("safetensors: %w", err)
	case !info.Mode().IsRegular():
		return inFile(path, wrong("mode "+info.Mode().String(), "a regular file"))
	case info.Size() > limit:
		return inFile(path, wrong(fmt.Sprintf("%d bytes", info.Size()), fmt.Sprintf("at most %d", limit)))
	}
	return nil
}
