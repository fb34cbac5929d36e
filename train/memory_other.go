//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package train

func peakRSS() int64 { return 0 }
