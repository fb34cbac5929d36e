//go:build !linux

package cpu

// adviseHuge leaves the choice of pages to the system.
func adviseHuge(_, _ uintptr) {}
