package safetensors

import (
	"encoding/binary"
	"unsafe"
)

// A number is a Go type that a file can hold.
type number interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64
}

// littleEndian tells whether numbers lie in memory as they lie in files.
func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// numbersOf is data as numbers: the same memory where this machine's byte order is the file's and the address is a multiple of the number's size, a copy elsewhere.
func numbersOf[T number](data []byte) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	n := len(data) / size
	if n == 0 {
		return []T{}
	}
	p := unsafe.Pointer(unsafe.SliceData(data))
	if littleEndian() && uintptr(p)%uintptr(size) == 0 {
		return unsafe.Slice((*T)(p), n)
	}
	values := make([]T, n)
	if _, err := binary.Decode(data, binary.LittleEndian, values); err != nil {
		panic(err) // Sizes are fixed and the data is long enough.
	}
	return values
}

// bytesOf is numbers as data: the same memory where this machine's byte order is the file's, a copy elsewhere.
func bytesOf[T number](values []T) []byte {
	var zero T
	if len(values) == 0 {
		return []byte{}
	}
	if littleEndian() {
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(zero)))
	}
	data, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		panic(err) // Sizes are fixed.
	}
	return data
}
