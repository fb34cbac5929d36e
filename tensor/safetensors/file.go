package safetensors

import (
	"errors"
	"iter"
	"maps"
	"slices"
)

// A File is the tensors of a file, or of a model's several files. It does not change, so any number of goroutines may read it.
type File struct {
	tensors  []Tensor
	index    map[string]int
	metadata map[string]string
	close    []func() error
}

// Parse is the file whose bytes are data, which it does not copy: the tensors are views into it.
func Parse(data []byte) (*File, error) {
	f := newFile()
	if err := f.add(data); err != nil {
		return nil, err
	}
	return f, nil
}

func newFile() *File { return &File{index: map[string]int{}, metadata: map[string]string{}} }

// add adds the tensors in data, which is a whole file.
func (f *File) add(data []byte) error {
	tensors, metadata, err := parse(data)
	if err != nil {
		return err
	}
	for _, t := range tensors {
		if _, ok := f.index[t.Name]; ok {
			return inTensor(t.Name, wrong("the name in two files", "it in one"))
		}
		f.index[t.Name] = len(f.tensors)
		f.tensors = append(f.tensors, t)
	}
	for key, value := range metadata {
		if _, ok := f.metadata[key]; !ok {
			f.metadata[key] = value
		}
	}
	return nil
}

// Len is the number of tensors.
func (f *File) Len() int { return len(f.tensors) }

// Names is the names of all tensors, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.index)) }

// Tensor is the tensor with the given name, if there is one. Its Shape and Data belong to the file and must not be written to.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.index[name]
	if !ok {
		return Tensor{}, false
	}
	return f.tensors[i], true
}

// All is the tensors in the order in which their data lies in the file, which is the fastest one to read them in.
func (f *File) All() iter.Seq[Tensor] { return slices.Values(f.tensors) }

// Forget lets the system take back the memory of a tensor's data, which is read from the file again should anybody want it. What is not mapped stays.
func (f *File) Forget(name string) {
	if t, ok := f.Tensor(name); ok && len(f.close) > 0 {
		forget(t.Data)
	}
}

// Metadata is a copy of the file's free text: of several files the union, where for one key the first file in the order of names counts.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Close unmaps the file. What was made from an opened file without a copy, be it a tensor's Data or the result of a method such as [Tensor.Float32s], must not be
// used any more: to touch it ends the program. A File made by [Parse] holds nothing, and need not be closed. Closing twice is no error.
func (f *File) Close() error {
	var errs []error
	for _, unmap := range f.close {
		errs = append(errs, unmap())
	}
	*f = *newFile()
	return errors.Join(errs...)
}
