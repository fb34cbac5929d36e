package backendtest

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"testing"

	"peft/tensor/internal/backend"
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
		elementwiseCases(), reductionCases(), productCases(), sparseCases(), normCases(), softmaxCases(), rowCases(), attentionCases(), lossCases(), optimizerCases(),
	}
	for _, theme := range themes {
		all = append(all, theme...)
	}
	return all
}

// Run checks that every operation of b gives what the reference gives, within the error bound of float32 arithmetic, writes nothing else, and gives
// the same bits when repeated, by b and by others: the same backend on other numbers of threads.
func Run(t *testing.T, b backend.Backend, others ...backend.Backend) {
	for n, x := range append([]backend.Backend{b}, others...) {
		t.Run(fmt.Sprint("Memory", n), func(t *testing.T) { testMemory(t, x) })
		t.Run(fmt.Sprint("Concurrent", n), func(t *testing.T) { testConcurrent(t, x) })
	}
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) { c.repeat(t, append([]backend.Backend{b, b}, others...)...) })
	}
}

// repeat makes the case's trials.
func (c testCase) repeat(f failer, on ...backend.Backend) {
	for n := range c.trials {
		tr := newTrial(f, seed(), n, on...)
		tr.large = n == 0
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
