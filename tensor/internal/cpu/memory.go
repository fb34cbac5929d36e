package cpu

import (
	"runtime"
	"unsafe"
)

const (
	alignment = 64      // bytes of a cache line, on which numbers begin
	hugePage  = 2 << 20 // bytes of a huge one
)

// aligned returns n numbers that begin on a cache line. Much memory is asked for in huge pages: panels and activations are read in many places at once, more than
// there are entries for small pages in the processor's table of addresses. It is all huge pages that have a part of the numbers, so that neighbours share the one between them.
func aligned(n int) []float32 {
	s := lined(n)
	if 4*n < hugePage {
		return s
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	from, to := first/hugePage*hugePage, (first+uintptr(4*n)+hugePage-1)/hugePage*hugePage
	adviseHuge(from, to-from)
	runtime.KeepAlive(s)
	return s
}

// lined returns n numbers that begin on a cache line.
func lined(n int) []float32 {
	s := make([]float32, n+alignment/4)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(s)))%alignment) / 4
	return s[skip : skip+n : skip+n]
}
