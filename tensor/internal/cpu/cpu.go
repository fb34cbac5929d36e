package cpu

import (
	"runtime"
	"sync"

	"peft/tensor/internal/backend"
)

// A Backend computes in float32 on the processor's cores. It is safe for use by many goroutines.
type Backend struct {
	pool    pool
	kernels *kernels
	bf16    bool // products with BF16 weights are computed in bfloat16
	team    *team
	almanac almanac
	boxes   sync.Map // reflect.Type of arguments → *sync.Pool of *box of that type
}

var _ backend.Backend = (*Backend)(nil)

// New returns a backend that computes on the given number of threads, GOMAXPROCS of them if it is not positive, with the instruction set that PEFT_CPU
// names or else the best one. It panics if PEFT_CPU names a set that there is not.
func New(threads int) *Backend { return NewSet(threads, chosen()) }

// NewSet is New with a given instruction set. It panics if the set is not among those [Available].
func NewSet(threads int, s Set) *Backend {
	if !supported(s) {
		panic("cpu: no instruction set " + s.String())
	}
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	b := &Backend{kernels: newKernels(s), team: newTeam(threads)}
	runtime.AddCleanup(b, (*team).stop, b.team)
	return b
}

// BF16 makes b compute products with weights stored as BF16 in bfloat16 where the instruction set in use can: the other operand is rounded to the nearest, sums are float32. Panels of pairs
// then take the place of a weight's storage. Elsewhere it is only widened. It must be called before b computes, and returns b.
func (b *Backend) BF16() *Backend {
	b.bf16 = b.kernels.pairs != nil
	return b
}

// Name is "cpu".
func (*Backend) Name() string { return "cpu" }

// Set is the instruction set in use.
func (b *Backend) Set() Set { return b.kernels.set }

// Threads is the number of threads in use.
func (b *Backend) Threads() int { return len(b.team.helpers) + 1 }
