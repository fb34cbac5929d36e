package cpu

import "time"

// Flops is the number of operations that one thread does a second at most, measured: multiplications with addition (two operations each) of numbers
// that stay in registers. It takes a few milliseconds.
func (b *Backend) Flops() float64 {
	const rounds, trials = 1 << 15, 64
	best := time.Duration(1 << 62)
	for range trials {
		start := time.Now()
		b.kernels.probe(rounds)
		best = min(best, time.Since(start))
	}
	return float64(2*probeSums*b.kernels.lanes*rounds) / best.Seconds()
}

// probeSums is how many sums a probe adds to.
const probeSums = 12

// probeGeneric does rounds of twelve multiplications with addition.
func probeGeneric(rounds int) {
	var s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11 float32
	for range rounds {
		s0, s1, s2, s3 = s0*s0+s0, s1*s1+s1, s2*s2+s2, s3*s3+s3
		s4, s5, s6, s7 = s4*s4+s4, s5*s5+s5, s6*s6+s6, s7*s7+s7
		s8, s9, s10, s11 = s8*s8+s8, s9*s9+s9, s10*s10+s10, s11*s11+s11
	}
	if s0+s1+s2+s3+s4+s5+s6+s7+s8+s9+s10+s11 != 0 { // so that the loop is not left out
		panic("cpu: zeros have added up to something")
	}
}
