package safetensors

import (
	"fmt"
	"math"
	"math/bits"
)

// A Tensor is a name and the elements of an array in row-major order, as little-endian bytes.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // no dimensions: one element
	Data  []byte
}

// Len is the number of elements.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// check makes sure that the data has the size that type and shape tell.
func (t Tensor) check() error {
	want, err := byteSize(t.DType, t.Shape)
	if err == nil && len(t.Data) != want {
		err = wrong(fmt.Sprintf("%d bytes", len(t.Data)), fmt.Sprintf("%d for %v %v", want, t.DType, t.Shape))
	}
	return inTensor(t.Name, err)
}

// maxDims is more dimensions than any program makes.
const maxDims = 64

// byteSize is the size of a tensor's data.
func byteSize(d DType, shape []int) (int, error) {
	if !d.known() {
		return 0, wrong(fmt.Sprintf("dtype number %d", uint8(d)), "one of the constants")
	}
	if len(shape) > maxDims {
		return 0, wrong(fmt.Sprintf("%d dimensions", len(shape)), fmt.Sprintf("at most %d", maxDims))
	}
	size, empty := uint64(d.Size()), false
	for _, n := range shape {
		if n < 0 {
			return 0, wrong(fmt.Sprintf("shape %v", shape), "dimensions of 0 or more")
		}
		if n == 0 {
			empty = true
			continue
		}
		high, low := bits.Mul64(size, uint64(n))
		if high != 0 || low > math.MaxInt {
			return 0, wrong(fmt.Sprintf("%v %v", d, shape), "a tensor that fits into memory")
		}
		size = low
	}
	if empty {
		return 0, nil
	}
	return int(size), nil
}
