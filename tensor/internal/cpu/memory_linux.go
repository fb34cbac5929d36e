package cpu

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages for all memory of size bytes from an address on, which no pointer names as it may belong to others; that there are none is no error.
func adviseHuge(from, size uintptr) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, size, unix.MADV_HUGEPAGE)
}
