package cpu

import (
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
)

// A team is goroutines that help whoever calls first; a caller that finds it busy works alone. Between jobs they spin for a moment, since the next
// job mostly comes at once, and then sleep.
type team struct {
	busy    atomic.Bool
	epoch   atomic.Uint32 // counts jobs
	current atomic.Pointer[job]
	helpers []*worker
	begin   sync.Once
	stopped atomic.Bool

	mu   sync.Mutex
	idle []*worker // workers for calling goroutines
}

// A worker is the scratch memory of one goroutine, and where a helper sleeps.
type worker struct {
	number  int // that of its share of jobs
	scratch [slots][]float32
	head    head    // of the attention that is being done
	sights  []sight // and what its queries see
	asleep  atomic.Bool
	wake    chan struct{}
}

// A slot is a purpose of scratch memory.
type slot uint8

const (
	slotA    slot = iota // packed rows of a product's left operand
	slotB                // packed panels of its right operand
	slotU                // rows of the left operand of a product of low rank
	slotLow              // and panels of the right one
	slotC                // a block of its result, where the result's rows are not contiguous
	slotWide             // widened rows of a weight
	slotX                // gathered operands of a sweep, or rows
	slotY
	slotZ
	slotOut
	slotS // attention: scores
	slotP
	slotK
	slotV
	slotQ
	slotPairs // rounded rows of a product's left operand
	slotSums  // sums of a strip and a panel of pairs
	slots
)

// floats returns n numbers with arbitrary content, the slot's until it is asked for again.
func (w *worker) floats(s slot, n int) []float32 {
	if len(w.scratch[s]) < n {
		w.scratch[s] = aligned(n + n/4)
	}
	return w.scratch[s][:n]
}

// run does chunks 0..n-1 of the task that args is. The task's arguments are copied to a pooled box, so nothing is allocated.
func run[T any, P interface {
	*T
	task
}](b *Backend, n int, args T) {
	if n <= 0 {
		return
	}
	boxes := boxesOf[T](b)
	x := boxes.Get().(*box[T])
	x.args = args
	if n > 1 && len(b.team.helpers) > 0 && b.team.busy.CompareAndSwap(false, true) {
		b.team.share(&x.job, P(&x.args), n)
		b.team.busy.Store(false)
	} else {
		w := b.team.worker()
		for i := range n {
			P(&x.args).chunk(w, i)
		}
		b.team.release(w)
	}
	x.args = *new(T)
	boxes.Put(x)
}

// boxesOf is the pool of boxes for arguments of type T.
func boxesOf[T any](b *Backend) *sync.Pool {
	key := reflect.TypeFor[T]()
	p, ok := b.boxes.Load(key)
	if !ok {
		p, _ = b.boxes.LoadOrStore(key, &sync.Pool{New: func() any { return new(box[T]) }})
	}
	return p.(*sync.Pool)
}

// newTeam returns a team for n threads; the calling goroutine is one of them.
func newTeam(n int) *team {
	t := &team{helpers: make([]*worker, n-1)}
	for i := range t.helpers {
		t.helpers[i] = &worker{number: i + 1, wake: make(chan struct{}, 1)}
	}
	return t
}

// worker lends scratch memory to the calling goroutine.
func (t *team) worker() *worker {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.idle); n > 0 {
		w := t.idle[n-1]
		t.idle = t.idle[:n-1]
		return w
	}
	return new(worker)
}

// release takes it back.
func (t *team) release(w *worker) {
	t.mu.Lock()
	t.idle = append(t.idle, w)
	t.mu.Unlock()
}

// share does a job together with the helpers and returns when it is done.
func (t *team) share(j *job, k task, n int) {
	t.begin.Do(t.start)
	j.prepare(k, n, len(t.helpers)+1)
	t.current.Store(j)
	t.epoch.Add(1)
	for _, w := range t.helpers[:min(n-1, len(t.helpers))] {
		w.rouse()
	}
	w := t.worker()
	j.help(w)
	t.release(w)
	for spins := 1; !j.finished(); spins++ {
		spin(spins)
	}
}

// spin waits a moment, and now and then for the other goroutines that want to run: seldom, for they are asked for under a lock that all threads contend for.
// It is a call, never inlined, so that the runtime can stop the thread here at once when it wants all to stop.
//
//go:noinline
func spin(spins int) {
	const yield = 4096
	if spins%yield == 0 {
		runtime.Gosched()
		return
	}
	pause()
}

// start starts the helpers.
func (t *team) start() {
	for _, w := range t.helpers {
		go t.work(w)
	}
}

// stop ends the helpers.
func (t *team) stop() {
	t.stopped.Store(true)
	t.epoch.Add(1)
	for _, w := range t.helpers {
		w.rouse()
	}
}

// work helps with job after job.
func (t *team) work(w *worker) {
	var seen uint32
	for {
		seen = t.await(w, seen)
		if t.stopped.Load() {
			return
		}
		t.current.Load().help(w)
	}
}

// await returns the epoch once it is not the one seen before.
func (t *team) await(w *worker, seen uint32) uint32 {
	const patience = 16384 // spins before sleep, which ends late: about a millisecond
	for spins := 1; ; spins++ {
		if e := t.epoch.Load(); e != seen {
			return e
		}
		if spins >= patience {
			t.sleep(w, seen)
		} else {
			spin(spins)
		}
	}
}

// sleep returns when the worker is roused, at once if the epoch has moved on.
func (t *team) sleep(w *worker, seen uint32) {
	w.asleep.Store(true)
	if t.epoch.Load() != seen && w.asleep.CompareAndSwap(true, false) {
		return
	}
	<-w.wake
}

// rouse wakes the worker if it sleeps.
func (w *worker) rouse() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}
