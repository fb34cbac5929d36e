//go:build !noasm

package cpu

import "peft/tensor/internal/backend"

// supported reports whether there are kernels of s: every arm64 processor that Go runs on has NEON.
func supported(s Set) bool { return s == NEON || s == Generic }

// slow reports that no set is worse than the one before.
func slow(Set) bool { return false }

// accelerate puts the kernels of s into the table.
func accelerate(k *kernels, s Set) {
	if s == NEON {
		k.neon()
	}
}

// neon puts the NEON kernels into the table.
func (k *kernels) neon() {
	k.tileRows, k.tileCols, k.lanes, k.rowPitch, k.depthBlock = 7, packNEONCols, 4, 8, 384
	k.pairs = nil
	copy(k.tile[1:], []tileFunc{tile1NEON, tile2NEON, tile3NEON, tile4NEON, tile5NEON, tile6NEON, tile7NEON})
	k.pack, k.stack, k.touch = packNEON, stackNEON, touchNEON
	k.probe = probeNEON
	k.binary = [...]func(dst, x, y []float32){backend.Add: addNEON, backend.Sub: subNEON, backend.Mul: mulNEON, backend.Div: divNEON, backend.Max: largerNEON}
	k.axpby, k.sum, k.dot, k.max, k.sumSquares, k.deviation = axpbyNEON, sumNEON, dotNEON, maxNEON, sumSquaresNEON, deviationNEON
	k.expSum, k.slopeSoftmax, k.dropout = expSumNEON, slopeSoftmaxNEON, dropoutNEON
	k.rotate = rotateNEON
	k.softmaxRow, k.gradRow = softmaxRowNEON, gradRowNEON
	k.adamW = func(p, g, m, v []float32, c *adamW) { adamWNEON(p, g, m, v, &c.gradScale) }
	k.normalise, k.normSums, k.normGrad, k.normParams = normaliseNEON, normSumsNEON, normGradNEON, normParamsNEON
	k.fromBF16, k.fromF16, k.fromI8 = fromBF16NEON, fromF16NEON, fromI8NEON
	k.functionsNEON()
}

// functionsNEON puts functions of one number and their slopes into the table; those that are not there are computed in Go.
func (k *kernels) functionsNEON() {
	k.unary[backend.ReLU] = reluNEON
	k.unary[backend.GELU] = geluNEON
	k.unary[backend.GELUTanh] = geluTanhNEON
	k.unary[backend.QuickGELU] = quickGELUNEON
	k.unary[backend.SiLU] = siluNEON
	k.unary[backend.Tanh] = tanhNEON
	k.unary[backend.Sigmoid] = sigmoidNEON
	k.unary[backend.LeakyReLU] = leakyNEON
	k.unary[backend.Exp] = expNEON
	k.unary[backend.Sqrt] = sqrtNEON
	k.unary[backend.Square] = squareNEON
	k.unary[backend.Reciprocal] = reciprocalNEON
	k.unary[backend.Abs] = absNEON
	k.slope[backend.ReLU] = reluSlopeNEON
	k.slope[backend.GELU] = geluSlopeNEON
	k.slope[backend.GELUTanh] = geluTanhSlopeNEON
	k.slope[backend.QuickGELU] = quickGELUSlopeNEON
	k.slope[backend.SiLU] = siluSlopeNEON
	k.slope[backend.Tanh] = tanhSlopeNEON
	k.slope[backend.Sigmoid] = sigmoidSlopeNEON
	k.slope[backend.LeakyReLU] = leakySlopeNEON
	k.slope[backend.Sqrt] = sqrtSlopeNEON
	k.slope[backend.Square] = squareSlopeNEON
	k.slope[backend.Reciprocal] = reciprocalSlopeNEON
	k.slope[backend.Abs] = absSlopeNEON
	k.slope[backend.Log] = logSlopeNEON
	k.slope[backend.Softplus] = softplusSlopeNEON
	k.slope[backend.Exp] = mulNEON
}

// packNEONCols is the columns of a panel.
const packNEONCols = 12

// packNEON transposes four rows at a time in registers; where there are fewer, it goes number by number.
func packNEON(dst, src []float32, rows, cols, stride int) {
	for i := 0; cols > 0 && i < packNEONCols; i += 4 {
		if i+4 <= rows {
			pack4NEON(dst[i:], src[i*stride:], cols, stride)
			continue
		}
		for j := range cols {
			out := dst[j*packNEONCols+i:][:4]
			clear(out)
			for r := i; r < rows; r++ {
				out[r-i] = src[r*stride+j]
			}
		}
	}
}

// pause tells the processor that it is in a loop that waits.
func pause() { pauseNEON() }
