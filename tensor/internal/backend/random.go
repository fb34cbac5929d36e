package backend

// Mix turns a counter into 64 random-looking bits, by two rounds of a 64-bit finalizer (SplitMix64): a function of its input alone, so that every thread,
// and the backward pass, finds the same bits.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Hash is 32 random-looking bits for element i of the stream that begins with seed: two multiplications a number, so that a vector unit makes them as fast as
// they are used ("lowbias32" of C. Wellons).
func Hash(seed, i uint32) uint32 {
	x := seed ^ i*0x9e3779b9
	x = (x ^ x>>16) * 0x21f0aaad
	x = (x ^ x>>15) * 0xd35a2d97
	return x ^ x>>15
}

// Threshold is the smallest hash that is kept at dropout probability p.
func Threshold(p float64) uint32 { return uint32(min(p*(1<<32), 1<<32-1)) }

// Kept reports whether dropout of probability p keeps element i of the stream key: Kept at row i>>20 and column i&(1<<20−1).
func Kept(key uint64, i int, p float64) bool { return KeptAt(key, i>>20, i&(1<<20-1), p) }

// KeptAt reports whether dropout of probability p keeps column j of row i of the stream key.
func KeptAt(key uint64, i, j int, p float64) bool {
	return Hash(RowSeed(key, i), uint32(j)) >= Threshold(p)
}

// RowSeed is the seed of row i of the stream key.
func RowSeed(key uint64, i int) uint32 { return uint32(Mix(key + uint64(i)*0xd1342543de82ef95)) }
