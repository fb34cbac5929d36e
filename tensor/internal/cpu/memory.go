package cpu

import "unsafe"

const (
	alignment = 64      // bytes of a cache line, on which numbers begin
	page      = 4 << 10 // bytes of a page of memory, at least
	hugePage  = 2 << 20 // bytes of a huge one
)

// aligned returns n numbers that begin on a cache line. Much memory is asked for in huge pages: panels and activations are read in many places at once, more than
// there are entries for small pages in the processor's table of addresses. It begins where a small page does, as neighbours share a huge one.
func aligned(n int) []float32 {
	if 4*n < hugePage {
		return alignedTo(n, alignment)
	}
	s := alignedTo(n, page)
	adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 4*n&^(page-1)))
	return s
}

// alignedTo returns n numbers that begin at a multiple of so many bytes.
func alignedTo(n, bytes int) []float32 {
	s := make([]float32, n+bytes/4)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(s)))%uintptr(bytes)) / 4
	return s[skip : skip+n : skip+n]
}
