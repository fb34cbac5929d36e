package backendtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"testing"

	"peft/tensor/internal/backend"
	"peft/tensor/internal/reference"
)

// seedVariable names the environment variable that replaces the seed of all trials.
const seedVariable = "BACKENDTEST_SEED"

// A testCase is a kind of call and how often it is made with other operands. The first time they are large.
type testCase struct {
	name   string
	trials int
	call   func(*trial)
}

// cases are all operations of a backend that compute.
func cases() []testCase {
	var all []testCase
	themes := [][]testCase{
		elementwiseCases(), reductionCases(), productCases(), normCases(), softmaxCases(), rowCases(), attentionCases(), lossCases(), optimizerCases(),
	}
	for _, theme := range themes {
		all = append(all, theme...)
	}
	return all
}

// Run checks that every operation of b gives what the reference gives, within the error bound of float32 arithmetic, writes nothing else, and gives
// the same bits when repeated.
func Run(t *testing.T, b backend.Backend) {
	t.Run("Memory", func(t *testing.T) { testMemory(t, b) })
	t.Run("Concurrent", func(t *testing.T) { testConcurrent(t, b) })
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			c.repeat(t, func(tr *trial) {
				tr.sides = []*side{newSide(b), newSide(b)}
				tr.reference = newSide(reference.New())
			})
		})
	}
}

// SameBits checks that every operation gives the same bits on both backends.
func SameBits(t *testing.T, a, b backend.Backend) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			c.repeat(t, func(tr *trial) { tr.sides = []*side{newSide(a), newSide(b)} })
		})
	}
}

// repeat makes the case's trials, each after setup.
func (c testCase) repeat(t failer, setup func(*trial)) {
	seed := seed()
	for n := range c.trials {
		tr := &trial{failer: t, rng: rand.New(rand.NewPCG(seed, uint64(n))), large: n == 0, name: fmt.Sprintf("%s=%d trial %d", seedVariable, seed, n)}
		setup(tr)
		c.run(tr)
	}
}

// run makes a trial; a backend that panics fails it.
func (c testCase) run(tr *trial) {
	defer func() {
		if r := recover(); r != nil {
			tr.fail("panic: %v\n%s", r, debug.Stack())
		}
	}()
	c.call(tr)
	tr.finish()
}

// seed is the seed of all trials.
func seed() uint64 {
	n, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64)
	if err != nil {
		return 1
	}
	return n
}
