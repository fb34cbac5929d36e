package backendtest_test

import (
	"testing"

	"peft/tensor/internal/backendtest"
	"peft/tensor/internal/cpu"
)

// The processor's backend, with every instruction set there is: on one thread as the reference, on more with the same bits.
func TestCPU(t *testing.T) {
	for _, set := range cpu.Available() {
		t.Run(set.String(), func(t *testing.T) {
			backendtest.Run(t, cpu.NewSet(1, set), cpu.NewSet(2, set), cpu.NewSet(3, set))
		})
	}
}
