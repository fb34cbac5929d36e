package safetensors

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// openIndex opens the files of a model that an index names. Tensors that the index does not list are tensors all the same.
func openIndex(path string) (*File, error) {
	shardOf, err := readIndex(path)
	if err != nil {
		return nil, inFile(path, err)
	}
	f := newFile()
	if err := f.openShards(filepath.Dir(path), shardOf); err != nil {
		return nil, errors.Join(inFile(path, err), f.Close())
	}
	return f, nil
}

// readIndex is the name of the file that holds each tensor.
func readIndex(path string) (shardOf map[string]string, err error) {
	if err := regular(path, maxHeader); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	err = scan(text, func(s scanner, key string) (err error) {
		if key != "weight_map" {
			return s.skip()
		}
		shardOf, err = s.strings()
		return inKey(key, err)
	})
	if err == nil && shardOf == nil {
		err = wrong("no weight_map", "one that names the file of each tensor")
	}
	return shardOf, err
}

func (f *File) openShards(dir string, shardOf map[string]string) error {
	if err := inside(shardOf); err != nil {
		return err
	}
	for _, shard := range slices.Compact(slices.Sorted(maps.Values(shardOf))) {
		before := f.Len()
		if err := f.open(filepath.Join(dir, shard)); err != nil {
			return err
		}
		if err := belong(f.tensors[before:], shard, shardOf); err != nil {
			return err
		}
	}
	return f.complete(shardOf)
}

// inside refuses files outside the index's folder.
func inside(shardOf map[string]string) error {
	for name, shard := range shardOf {
		if !filepath.IsLocal(shard) {
			return inTensor(name, wrong(fmt.Sprintf("file %q", shard), "one in the folder of the index"))
		}
	}
	return nil
}

// belong wants the index to list the tensors of a shard, if it does, in this shard.
func belong(tensors []Tensor, shard string, shardOf map[string]string) error {
	for _, t := range tensors {
		if want, ok := shardOf[t.Name]; ok && want != shard {
			return inTensor(t.Name, wrong("it in "+shard, "it in "+want))
		}
	}
	return nil
}

// complete wants every tensor of the index.
func (f *File) complete(shardOf map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(shardOf)) {
		if _, ok := f.index[name]; !ok {
			return inTensor(name, wrong("it nowhere", "it in "+shardOf[name]))
		}
	}
	return nil
}
