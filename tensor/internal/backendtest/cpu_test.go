package backendtest_test

import (
	"fmt"
	"testing"

	"peft/tensor/internal/backendtest"
	"peft/tensor/internal/cpu"
)

// The processor's backend, with every instruction set there is, on one thread and on several.
func TestCPU(t *testing.T) {
	for _, set := range cpu.Available() {
		for threads := 1; threads <= 3; threads++ {
			t.Run(fmt.Sprintf("%v/%d", set, threads), func(t *testing.T) { backendtest.Run(t, cpu.NewSet(threads, set)) })
		}
	}
}

// Results have the same bits for any number of threads.
func TestCPUThreads(t *testing.T) {
	for _, set := range cpu.Available() {
		for threads := 2; threads <= 3; threads++ {
			t.Run(fmt.Sprintf("%v/%d", set, threads), func(t *testing.T) {
				backendtest.SameBits(t, cpu.NewSet(1, set), cpu.NewSet(threads, set))
			})
		}
	}
}
