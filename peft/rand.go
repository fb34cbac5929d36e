package peft

import "math/rand/v2"

// Rand is the source of a patch's first values.
type Rand = *rand.Rand

func newRand(seed uint64) Rand { return rand.New(rand.NewPCG(seed, 0x70656674)) }

// Normal is n draws from a normal distribution of mean 0.
func Normal(rng Rand, n int, std float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = std * rng.NormFloat64()
	}
	return v
}

// Uniform is n draws from [−bound, bound).
func Uniform(rng Rand, n int, bound float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = bound * (2*rng.Float64() - 1)
	}
	return v
}

// Seed derives the seed of one forward pass of training: the randomness of dropout and routes is a function of it and of the place, never of the order of calls.
func Seed(seed uint64, step, micro int) uint64 {
	return mix(mix(mix(seed)+uint64(step)) + uint64(micro))
}

// mix is the SplitMix64 finalizer.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hash is FNV-1a.
func hash(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}
