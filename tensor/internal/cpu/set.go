package cpu

import (
	"fmt"
	"os"
	"sync"
)

//go:generate sh -c "cd _asm && go run ./neon"

// A Set is an instruction set for which there are kernels.
type Set uint8

// The instruction sets, from the plainest.
const (
	Generic    Set = iota // Go code
	AVX2                  // AVX2 and FMA
	AVX512                // AVX-512 F, VL, DQ and BW, and FMA
	AVX512BF16            // that, and its dot products of bfloat16 pairs
	AMX                   // that, and Intel's tiles of bfloat16 pairs
	NEON                  // Arm's, of 128 bits
)

var setNames = [...]string{Generic: "generic", AVX2: "avx2", AVX512: "avx512", AVX512BF16: "avx512bf16", AMX: "amx", NEON: "neon"}

// String is the name by which PEFT_CPU calls the set.
func (s Set) String() string { return setNames[s] }

// Available lists the sets that this processor and this build have, from the plainest.
func Available() []Set {
	sets := []Set{Generic}
	for s := AVX2; s <= NEON; s++ {
		if supported(s) {
			sets = append(sets, s)
		}
	}
	return sets
}

// chosen is the set that PEFT_CPU names, or the best one there is. It is read once.
var chosen = sync.OnceValue(func() Set {
	sets := Available()
	name := os.Getenv("PEFT_CPU")
	if name == "" {
		return fastest(sets)
	}
	for _, s := range sets {
		if s.String() == name {
			return s
		}
	}
	panic(fmt.Sprintf("cpu: PEFT_CPU=%s is not one of %v, which this processor and this build have", name, sets))
})

// fastest is the last set whose instructions are worth their name.
func fastest(sets []Set) Set {
	best := Generic
	for _, s := range sets {
		if !slow(s) {
			best = s
		}
	}
	return best
}
