package safetensors

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"peft/internal/atomicfile"
)

// Write writes tensors and metadata, which may be nil, to the file path, whole or not at all: on any error a file that was there is as it was. The same tensors,
// in any order, make the same bytes, and the same ones that the format's own writer makes.
func Write(path string, tensors []Tensor, metadata map[string]string) error {
	err := atomicfile.WriteFile(path, func(w io.Writer) error { return Encode(w, tensors, metadata) })
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}

// Encode writes what [Write] would write to a file. Data goes to w as it is, without a copy.
func Encode(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	tensors = slices.SortedFunc(slices.Values(tensors), writingOrder)
	header, err := encodeHeader(tensors, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		if _, err := w.Write(t.Data); err != nil {
			return err
		}
	}
	return nil
}

// writingOrder puts wide elements first, so that all are aligned, and sorts by name where types are equal.
func writingOrder(a, b Tensor) int {
	return cmp.Or(cmp.Compare(b.DType, a.DType), cmp.Compare(a.Name, b.Name))
}
