//go:build !noasm

package cpu

import (
	"golang.org/x/sys/cpu"

	"peft/tensor/internal/backend"
)

//go:generate sh -c "cd _asm && go run ."

// supported reports whether the processor, and the operating system, have all instructions that the kernels of s use.
func supported(s Set) bool {
	x := &cpu.X86
	switch s {
	case AVX2:
		return x.HasAVX2 && x.HasFMA && x.HasBMI2 && x.HasF16C
	case AVX512:
		return supported(AVX2) && x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW
	case AVX512BF16:
		return supported(AVX512) && x.HasAVX512BF16
	case AMX:
		return supported(AVX512BF16) && x.HasAMXTile && x.HasAMXBF16 && tilesAllowed()
	}
	return s == Generic
}

// slow reports whether the processor has the instructions of s, but does more with those of the set before: Intel's do a quarter as many dot products of pairs as multiplications with addition in the
// same time, which is half the work. (Measured on one with AMX, which is the better set there anyway.)
func slow(s Set) bool {
	const intel = 'G' | 'e'<<8 | 'n'<<16 | 'u'<<24
	return s == AVX512BF16 && vendor() == intel
}

// accelerate puts the kernels of s into the table.
func accelerate(k *kernels, s Set) {
	switch s {
	case AVX2:
		k.avx2()
	case AVX512:
		k.avx512()
	case AVX512BF16:
		k.avx512()
		k.pairs = &pairKernels{rows: 14, tile: pairsAVX512BF16, round: roundPairsAVX512BF16, turn: turnPairsAVX512BF16}
	case AMX:
		k.avx512()
		k.pairs = &pairKernels{rows: 32, tile: pairsAMX, round: roundPairsAVX512BF16, turn: turnPairsAVX512BF16}
	}
}

// pairsAVX512BF16 multiplies strips by the kernel for the fewest rows that are enough.
func pairsAVX512BF16(c []float32, cr int, a []uint32, ar int, b []uint32, next, depth, rows, n int, beta float32, bias, sums []float32) {
	switch {
	case rows == 1:
		pairs1AVX512BF16(c, cr, a, ar, b, next, depth, rows, n, beta, bias, sums)
	case rows <= 4:
		pairs4AVX512BF16(c, cr, a, ar, b, next, depth, rows, n, beta, bias, sums)
	default:
		pairs14AVX512BF16(c, cr, a, ar, b, next, depth, rows, n, beta, bias, sums)
	}
}

// avx2 puts the AVX2 kernels into the table.
func (k *kernels) avx2() {
	k.tileRows, k.tileCols, k.lanes, k.rowPitch, k.depthBlock = 6, 16, 8, 8, 384
	k.pairs = nil
	copy(k.tile[1:], []tileFunc{tile1AVX2, tile2AVX2, tile3AVX2, tile4AVX2, tile5AVX2, tile6AVX2})
	k.pack, k.stack, k.touch = packAVX2, stackAVX2, touchAVX2
	k.probe = probeAVX2
	k.binary = [...]func(dst, x, y []float32){backend.Add: addAVX2, backend.Sub: subAVX2, backend.Mul: mulAVX2, backend.Div: divAVX2, backend.Max: largerAVX2}
	k.axpby, k.sum, k.dot, k.max, k.sumSquares, k.deviation = axpbyAVX2, sumAVX2, dotAVX2, maxAVX2, sumSquaresAVX2, deviationAVX2
	k.expSum, k.slopeSoftmax, k.dropout = expSumAVX2, slopeSoftmaxAVX2, dropoutAVX2
	k.rotate = rotateAVX2
	k.softmaxRow, k.gradRow = softmaxRowAVX2, gradRowAVX2
	k.adamW = func(p, g, m, v []float32, c *adamW) { adamWAVX2(p, g, m, v, &c.gradScale) }
	k.normalise, k.normSums, k.normGrad, k.normParams = normaliseAVX2, normSumsAVX2, normGradAVX2, normParamsAVX2
	k.fromBF16 = vectors(k.lanes, 2, fromBF16AVX2, fromBF16Generic)
	k.fromF16 = vectors(k.lanes, 2, fromF16AVX2, fromF16Generic)
	k.fromI8 = func(dst []float32, src []byte, scale float32) {
		whole := len(dst) &^ (k.lanes - 1)
		fromI8AVX2(dst[:whole], src, scale)
		fromI8Generic(dst[whole:], src[whole:], scale)
	}
	k.functionsAVX2()
}

// functionsAVX2 puts functions of one number and their slopes into the table; those that are not there are computed in Go.
func (k *kernels) functionsAVX2() {
	k.unary[backend.ReLU] = reluAVX2
	k.unary[backend.GELU] = geluAVX2
	k.unary[backend.GELUTanh] = geluTanhAVX2
	k.unary[backend.QuickGELU] = quickGELUAVX2
	k.unary[backend.SiLU] = siluAVX2
	k.unary[backend.Tanh] = tanhAVX2
	k.unary[backend.Sigmoid] = sigmoidAVX2
	k.unary[backend.LeakyReLU] = leakyAVX2
	k.unary[backend.Exp] = expAVX2
	k.unary[backend.Sqrt] = sqrtAVX2
	k.unary[backend.Square] = squareAVX2
	k.unary[backend.Reciprocal] = reciprocalAVX2
	k.unary[backend.Abs] = absAVX2
	k.slope[backend.ReLU] = reluSlopeAVX2
	k.slope[backend.GELU] = geluSlopeAVX2
	k.slope[backend.GELUTanh] = geluTanhSlopeAVX2
	k.slope[backend.QuickGELU] = quickGELUSlopeAVX2
	k.slope[backend.SiLU] = siluSlopeAVX2
	k.slope[backend.Tanh] = tanhSlopeAVX2
	k.slope[backend.Sigmoid] = sigmoidSlopeAVX2
	k.slope[backend.LeakyReLU] = leakySlopeAVX2
	k.slope[backend.Sqrt] = sqrtSlopeAVX2
	k.slope[backend.Square] = squareSlopeAVX2
	k.slope[backend.Reciprocal] = reciprocalSlopeAVX2
	k.slope[backend.Abs] = absSlopeAVX2
	k.slope[backend.Log] = logSlopeAVX2
	k.slope[backend.Softplus] = softplusSlopeAVX2
	k.slope[backend.Exp] = mulAVX2
}

// avx512 puts the AVX-512 kernels into the table.
func (k *kernels) avx512() {
	k.tileRows, k.tileCols, k.lanes, k.rowPitch, k.depthBlock = 14, 32, 16, 16, 384
	k.pairs = nil
	copy(k.tile[1:], []tileFunc{tile1AVX512, tile2AVX512, tile3AVX512, tile4AVX512, tile5AVX512, tile6AVX512, tile7AVX512,
		tile8AVX512, tile9AVX512, tile10AVX512, tile11AVX512, tile12AVX512, tile13AVX512, tile14AVX512})
	k.pack, k.stack, k.touch = packAVX512, stackAVX512, touchAVX512
	k.probe = probeAVX512
	k.binary = [...]func(dst, x, y []float32){backend.Add: addAVX512, backend.Sub: subAVX512, backend.Mul: mulAVX512, backend.Div: divAVX512, backend.Max: largerAVX512}
	k.axpby, k.sum, k.dot, k.max, k.sumSquares, k.deviation = axpbyAVX512, sumAVX512, dotAVX512, maxAVX512, sumSquaresAVX512, deviationAVX512
	k.expSum, k.slopeSoftmax, k.dropout = expSumAVX512, slopeSoftmaxAVX512, dropoutAVX512
	k.rotate = rotateAVX512
	k.softmaxRow, k.gradRow = softmaxRowAVX512, gradRowAVX512
	k.adamW = func(p, g, m, v []float32, c *adamW) { adamWAVX512(p, g, m, v, &c.gradScale) }
	k.normalise, k.normSums, k.normGrad, k.normParams = normaliseAVX512, normSumsAVX512, normGradAVX512, normParamsAVX512
	k.fromBF16 = vectors(k.lanes, 2, fromBF16AVX512, fromBF16Generic)
	k.fromF16 = vectors(k.lanes, 2, fromF16AVX512, fromF16Generic)
	k.fromI8 = func(dst []float32, src []byte, scale float32) {
		whole := len(dst) &^ (k.lanes - 1)
		fromI8AVX512(dst[:whole], src, scale)
		fromI8Generic(dst[whole:], src[whole:], scale)
	}
	k.functionsAVX512()
}

// functionsAVX512 puts functions of one number and their slopes into the table; those that are not there are computed in Go.
func (k *kernels) functionsAVX512() {
	k.unary[backend.ReLU] = reluAVX512
	k.unary[backend.GELU] = geluAVX512
	k.unary[backend.GELUTanh] = geluTanhAVX512
	k.unary[backend.QuickGELU] = quickGELUAVX512
	k.unary[backend.SiLU] = siluAVX512
	k.unary[backend.Tanh] = tanhAVX512
	k.unary[backend.Sigmoid] = sigmoidAVX512
	k.unary[backend.LeakyReLU] = leakyAVX512
	k.unary[backend.Exp] = expAVX512
	k.unary[backend.Sqrt] = sqrtAVX512
	k.unary[backend.Square] = squareAVX512
	k.unary[backend.Reciprocal] = reciprocalAVX512
	k.unary[backend.Abs] = absAVX512
	k.slope[backend.ReLU] = reluSlopeAVX512
	k.slope[backend.GELU] = geluSlopeAVX512
	k.slope[backend.GELUTanh] = geluTanhSlopeAVX512
	k.slope[backend.QuickGELU] = quickGELUSlopeAVX512
	k.slope[backend.SiLU] = siluSlopeAVX512
	k.slope[backend.Tanh] = tanhSlopeAVX512
	k.slope[backend.Sigmoid] = sigmoidSlopeAVX512
	k.slope[backend.LeakyReLU] = leakySlopeAVX512
	k.slope[backend.Sqrt] = sqrtSlopeAVX512
	k.slope[backend.Square] = squareSlopeAVX512
	k.slope[backend.Reciprocal] = reciprocalSlopeAVX512
	k.slope[backend.Abs] = absSlopeAVX512
	k.slope[backend.Log] = logSlopeAVX512
	k.slope[backend.Softplus] = softplusSlopeAVX512
	k.slope[backend.Exp] = mulAVX512
}

// vectors makes a kernel of one for whole vectors, of numbers of the given size, and of its twin in Go for what is left over.
func vectors(lanes, size int, whole, rest func(dst []float32, src []byte)) func(dst []float32, src []byte) {
	return func(dst []float32, src []byte) {
		n := len(dst) &^ (lanes - 1)
		whole(dst[:n], src)
		rest(dst[n:], src[size*n:])
	}
}
