package backendtest

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
)

// testConcurrent makes trials of all cases on several goroutines at once, and products with one weight.
func testConcurrent(t *testing.T, b backend.Backend) {
	t.Run("Cases", func(t *testing.T) { testConcurrentCases(t, b) })
	t.Run("Weight", func(t *testing.T) { testConcurrentWeight(t, b) })
}

const goroutines = 4

// testConcurrentCases: every goroutine begins elsewhere in the list, so that different operations meet.
func testConcurrentCases(t *testing.T, b backend.Backend) {
	all := cases()
	var failed failures
	atOnce(func(g int) {
		for n := range all {
			c := all[(n+g*len(all)/goroutines)%len(all)]
			failed.run(func(f failer) {
				tr := newTrial(f, seed(), 1000*g+n, b)
				tr.name += " of " + c.name
				c.run(tr)
			})
		}
	})
	for _, m := range failed.messages {
		t.Error(m)
	}
}

// testConcurrentWeight: a prepared weight is used by all; each makes what one makes alone.
func testConcurrentWeight(t *testing.T, b backend.Backend) {
	tr := newTrial(t, seed(), 0, b)
	w, x := b.Prepare(tr.frozen(70, 90).Storage), tr.contiguous(40, 90, false)
	y, dx := tr.contiguous(40, 70, true), tr.contiguous(40, 90, true)
	product := func() []float64 {
		s := newSide(b)
		defer s.free()
		s.MulT(s.of(y), s.of(x), w, backend.Epilogue{})
		s.Mul(s.of(dx), s.of(y), w, nil, 0)
		return s.read(dx)
	}
	results := make([][]float64, goroutines)
	atOnce(func(g int) { results[g] = product() })
	alone := product()
	for _, r := range results {
		require.Equal(t, alone, r)
	}
}

// atOnce calls f on several goroutines and returns when all are done.
func atOnce(f func(g int)) {
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() { f(g) })
	}
	group.Wait()
}

// failures collects what trials on other goroutines than the test's say.
type failures struct {
	mu       sync.Mutex
	messages []string
}

// run makes a trial on a goroutine of its own, which the trial may end.
func (f *failures) run(trial func(failer)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		trial(f)
	}()
	<-done
}

// Helper does nothing.
func (f *failures) Helper() {}

// Errorf keeps the message.
func (f *failures) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = append(f.messages, fmt.Sprintf(format, args...))
}

// FailNow ends the goroutine.
func (f *failures) FailNow() { runtime.Goexit() }
