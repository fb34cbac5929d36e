package cpu

import "unsafe"

const (
	alignment = 64      // bytes of a cache line, on which numbers begin
	hugePage  = 2 << 20 // bytes; memory of that size begins on such a page
)

// aligned returns n numbers that begin on a cache line. Much memory is asked for in huge pages: panels and activations are read in many places at once, more than
// there are entries for small pages in the processor's table of addresses.
func aligned(n int) []float32 {
	if 4*n < hugePage {
		return alignedTo(n, alignment)
	}
	s := alignedTo(n, hugePage)
	adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*n&^(hugePage-1)))
	return s
}

// alignedTo returns n numbers that begin at a multiple of so many bytes.
func alignedTo(n, bytes int) []float32 {
	s := make([]float32, n+bytes/4)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(s)))%uintptr(bytes)) / 4
	return s[skip : skip+n : skip+n]
}
