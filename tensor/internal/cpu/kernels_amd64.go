//go:build !noasm

package cpu

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd _asm && go run ."

// supported reports whether the processor, and the operating system, have all instructions that the kernels of s use.
func supported(s Set) bool {
	x := &cpu.X86
	switch s {
	case AVX2:
		return x.HasAVX2 && x.HasFMA && x.HasBMI2
	case AVX512:
		return supported(AVX2) && x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW
	}
	return s == Generic
}

// accelerate puts the kernels of s into the table.
func accelerate(k *kernels, s Set) {
	switch s {
	case AVX2:
		k.avx2()
	case AVX512:
		k.avx512()
	}
}

// avx2 puts the AVX2 kernels into the table.
func (k *kernels) avx2() {
	k.tileRows, k.tileCols, k.lanes, k.rowPitch = 6, 16, 8, 8
	copy(k.tile[1:], []tileFunc{tile1AVX2, tile2AVX2, tile3AVX2, tile4AVX2, tile5AVX2, tile6AVX2})
	k.pack, k.stack = packAVX2, stackAVX2
	k.probe = probeAVX2
}

// avx512 puts the AVX-512 kernels into the table.
func (k *kernels) avx512() {
	k.tileRows, k.tileCols, k.lanes, k.rowPitch = 14, 32, 16, 16
	copy(k.tile[1:], []tileFunc{tile1AVX512, tile2AVX512, tile3AVX512, tile4AVX512, tile5AVX512, tile6AVX512, tile7AVX512,
		tile8AVX512, tile9AVX512, tile10AVX512, tile11AVX512, tile12AVX512, tile13AVX512, tile14AVX512})
	k.pack, k.stack = packAVX512, stackAVX512
	k.probe = probeAVX512
}
