package cpu

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages; that there are none is no error.
func adviseHuge(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
