package train

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// An order says which examples each step takes: a function of the step alone, so that a resumed run takes the same ones.
//
// Shuffled, an epoch takes every example once, in an order drawn from the seed and the epoch's number, and its last batch may be smaller. In file
// order all batches are whole, and wrap round.
type order struct {
	Examples   int    `json:"examples"`
	Batch      int    `json:"batch"`
	Accumulate int    `json:"accumulate"`
	InOrder    bool   `json:"in_order"`
	ByLength   bool   `json:"by_length"`
	Seed       uint64 `json:"seed"`

	length func(example int) int
	epoch  int // the one that rows are of
	rows   []int
}

// window is how many batches are sorted by length at a time.
const window = 50

// total is the number of steps that some epochs take.
func (o *order) total(epochs int) int {
	if o.InOrder {
		return ceil(epochs*o.Examples, o.Batch*o.Accumulate)
	}
	return epochs * o.perEpoch()
}

// perEpoch is the number of steps of a shuffled epoch.
func (o *order) perEpoch() int { return ceil(ceil(o.Examples, o.Batch), o.Accumulate) }

// epochs is how many epochs are complete after so many steps.
func (o *order) epochs(steps int) int {
	if o.InOrder {
		return steps * o.Batch * o.Accumulate / o.Examples
	}
	return steps / o.perEpoch()
}

// step lists the examples of each micro-batch of a step, counted from 0.
func (o *order) step(step int) [][]int {
	if o.InOrder {
		return o.wrapped(step)
	}
	o.shuffle(step / o.perEpoch())
	var batches [][]int
	at := step % o.perEpoch() * o.Accumulate * o.Batch
	for range o.Accumulate {
		if end := min(at+o.Batch, o.Examples); at < end {
			batches = append(batches, o.rows[at:end])
			at = end
		}
	}
	return batches
}

func (o *order) wrapped(step int) [][]int {
	batches := make([][]int, o.Accumulate)
	for i := range batches {
		for j := range o.Batch {
			batches[i] = append(batches[i], ((step*o.Accumulate+i)*o.Batch+j)%o.Examples)
		}
	}
	return batches
}

// shuffle makes rows those of an epoch.
func (o *order) shuffle(epoch int) {
	if o.rows != nil && o.epoch == epoch {
		return
	}
	o.epoch = epoch
	rng := rand.New(rand.NewPCG(o.Seed, uint64(epoch)))
	o.rows = rng.Perm(o.Examples)
	if !o.ByLength {
		return
	}
	for part := range slices.Chunk(o.rows, window*o.Batch) {
		slices.SortStableFunc(part, func(a, b int) int { return cmp.Compare(o.length(b), o.length(a)) })
		rng.Shuffle(len(part)/o.Batch, func(i, j int) { swap(part[i*o.Batch:][:o.Batch], part[j*o.Batch:][:o.Batch]) })
	}
}

// swap exchanges the elements of two batches: were they left in order of length, a window would go from long texts to short ones.
func swap(a, b []int) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }
