package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	maxHeader   = 100_000_000 // bytes, as in the format's own reader
	metadataKey = "__metadata__"
)

// An entry is what a header says of a tensor.
type entry struct {
	Name    string
	DType   DType
	Shape   []int
	Offsets []int // where the data begins and ends, counted from the end of the header
}

// parse is the tensors of a file in the order of their data, and its metadata. The tensors share the memory of data.
func parse(data []byte) ([]Tensor, map[string]string, error) {
	header, body, err := split(data)
	if err != nil {
		return nil, nil, err
	}
	entries, metadata, err := readHeader(header)
	if err != nil {
		return nil, nil, err
	}
	if err := tile(entries, len(body)); err != nil {
		return nil, nil, err
	}
	tensors := make([]Tensor, len(entries))
	for i, e := range entries {
		begin, end := e.Offsets[0], e.Offsets[1]
		tensors[i] = Tensor{e.Name, e.DType, e.Shape, body[begin:end:end]}
	}
	return tensors, metadata, nil
}

// split cuts a file into its header and its data. The file begins with the header's length.
func split(data []byte) (header, body []byte, err error) {
	if len(data) < 8 {
		return nil, nil, wrong(fmt.Sprintf("a file of %d bytes", len(data)), "8 bytes that tell the header's length")
	}
	n, rest := binary.LittleEndian.Uint64(data), data[8:]
	if n > maxHeader {
		return nil, nil, wrong(fmt.Sprintf("a header of %d bytes", n), fmt.Sprintf("at most %d", maxHeader))
	}
	if n > uint64(len(rest)) {
		return nil, nil, wrong(fmt.Sprintf("a header of %d bytes in a file of %d", n, len(data)), "a whole file")
	}
	if n == 0 || rest[0] != '{' {
		return nil, nil, wrong(fmt.Sprintf("a header that begins %.20q", rest[:n]), "{")
	}
	return rest[:n], rest[n:], nil
}

func readHeader(text []byte) (entries []entry, metadata map[string]string, err error) {
	err = scan(text, func(s scanner, key string) (err error) {
		if key == metadataKey {
			metadata, err = s.strings()
			return inKey(metadataKey, err)
		}
		e, err := s.entry(key)
		entries = append(entries, e)
		return inTensor(key, err)
	})
	return entries, metadata, err
}

// entry reads what the header says of one tensor, whose keys it wants all; keys of others' extensions are passed over.
func (s scanner) entry(name string) (entry, error) {
	e := entry{Name: name}
	err := s.object(func(key string) (err error) {
		switch key {
		case "dtype":
			e.DType, err = s.dtype()
		case "shape":
			e.Shape, err = s.counts(maxDims)
		case "data_offsets":
			e.Offsets, err = s.counts(2)
		default:
			err = s.skip()
		}
		return inKey(key, err)
	})
	if err == nil && (e.DType == 0 || e.Shape == nil || len(e.Offsets) != 2) {
		err = wrong(fmt.Sprintf("dtype %v, shape %v, data_offsets %v", e.DType, e.Shape, e.Offsets), "all three, with two offsets")
	}
	return e, err
}

func (s scanner) dtype() (DType, error) {
	name, err := s.text()
	if err != nil {
		return 0, err
	}
	d, ok := ParseDType(name)
	if !ok {
		return 0, wrong(fmt.Sprintf("%.40q", name), "a type of the format, such as F32")
	}
	return d, nil
}

// tile sorts entries by their data and makes sure that they cover size bytes without holes and overlaps, each with as many as its type and shape tell.
func tile(entries []entry, size int) error {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(slices.Compare(a.Offsets, b.Offsets), cmp.Compare(a.Name, b.Name))
	})
	end := 0
	for _, e := range entries {
		if err := e.check(end); err != nil {
			return inTensor(e.Name, err)
		}
		end = e.Offsets[1]
	}
	if end != size {
		return wrong(fmt.Sprintf("%d bytes of data", size), fmt.Sprintf("%d, where the last tensor ends", end))
	}
	return nil
}

// check wants the tensor's data to begin where the one before it ended.
func (e entry) check(begin int) error {
	if e.Offsets[0] != begin || e.Offsets[1] < begin {
		return wrong(fmt.Sprintf("data_offsets %v", e.Offsets), fmt.Sprintf("data that begins at %d, where the tensor before it ends", begin))
	}
	want, err := byteSize(e.DType, e.Shape)
	if got := e.Offsets[1] - begin; err == nil && got != want {
		err = wrong(fmt.Sprintf("data_offsets %v of %d bytes", e.Offsets, got), fmt.Sprintf("%d bytes for %v %v", want, e.DType, e.Shape))
	}
	return err
}
