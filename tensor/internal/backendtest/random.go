package backendtest

// pick is one of several values, which a failure tells.
func pick[T any](t *trial, values ...T) T {
	v := values[t.rng.IntN(len(values))]
	t.picked = append(t.picked, v)
	return v
}

// chance is true once in n times.
func (t *trial) chance(n int) bool { return t.rng.IntN(n) == 0 }

// size is a number of rows or columns: one, odd ones, and some about those at which kernels change.
func (t *trial) size() int {
	sizes := []int{1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 23, 31, 32, 33, 47, 63, 64, 65, 97, 127, 128, 129}
	if t.large {
		sizes = []int{130, 257, 300}
	}
	return sizes[t.rng.IntN(len(sizes))]
}

// sizeOrNone is a size, or sometimes 0.
func (t *trial) sizeOrNone() int {
	if !t.large && t.chance(12) {
		return 0
	}
	return t.size()
}

// beta is the factor of what a destination held before.
func (t *trial) beta() float64 { return pick(t, 0.0, 1) }

// key is the key of a stream of random bits.
func (t *trial) key() uint64 { return t.rng.Uint64() }

// scales is a factor for each of n rows, or nil.
func (t *trial) scales(n int) []float32 {
	if t.chance(2) {
		return nil
	}
	s := make([]float32, n)
	for i := range s {
		s[i] = t.normal()
	}
	return s
}

// starts cuts a number of rows, which it returns too, into segments, some of them empty.
func (t *trial) starts(segments, longest int) (start []int32, rows int) {
	start = []int32{0}
	for range segments {
		if !t.chance(5) {
			rows += 1 + t.rng.IntN(longest)
		}
		start = append(start, int32(rows))
	}
	return start, rows
}

// special replaces some elements of o by the given numbers.
func (t *trial) special(o *operand, values ...float64) {
	o.each(func(i, j int) {
		if t.chance(8) {
			o.set(i, j, values[t.rng.IntN(len(values))])
		}
	})
}
