package cpu

import (
	"testing"

	"peft/tensor/internal/backendtest"
)

// TestSuite runs the tests of all backends for each instruction set, on one thread and on three, which must give the same bits.
func TestSuite(t *testing.T) {
	for _, s := range Available() {
		t.Run(s.String(), func(t *testing.T) { backendtest.Run(t, NewSet(1, s), NewSet(3, s)) })
	}
}
