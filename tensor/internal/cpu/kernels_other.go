//go:build (!amd64 && !arm64) || noasm

package cpu

import "runtime"

// supported reports that there is Go code only.
func supported(s Set) bool { return s == Generic }

// slow reports that no set is worse than the one before.
func slow(Set) bool { return false }

// accelerate leaves the table as it is.
func accelerate(*kernels, Set) {}

// pause waits for a moment.
func pause() { runtime.Gosched() }
