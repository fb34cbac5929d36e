//go:build !linux && !noasm

package cpu

// tilesAllowed reports that it is not known how to ask for the right to use AMX tiles.
func tilesAllowed() bool { return false }
