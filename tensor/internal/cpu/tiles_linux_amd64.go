//go:build !noasm

package cpu

import (
	"sync"

	"golang.org/x/sys/unix"
)

// tilesAllowed asks the system, once, for the right of the process to use AMX tiles, and reports whether it has it. ("Using XSTATE features in user space applications", Linux documentation)
var tilesAllowed = sync.OnceValue(func() bool {
	const requestPermission, tileData = 0x1023, 18 // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
	_, _, failed := unix.Syscall(unix.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return failed == 0
})
