//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package train

import (
	"runtime"
	"syscall"
)

// peakRSS is what getrusage says, which counts in bytes on Darwin and in KiB elsewhere.
func peakRSS() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
