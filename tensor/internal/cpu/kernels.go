package cpu

import "peft/tensor/internal/backend"

// kernels is the functions on contiguous numbers that an instruction set offers. Slices of one call have the same length unless a comment says otherwise.
type kernels struct {
	set Set

	tile               [maxTileRows + 1]tileFunc // tile[m] multiplies m rows, 1 <= m <= tileRows
	tileRows, tileCols int
	lanes              int // numbers in a vector
	rowPitch           int // at least tileRows
	depthBlock         int // of the inner dimension of products, for which tiles' rows stay in the first-level cache and panels in the second
	// stack makes dst[i·pitch + j] = src[i·stride + j] for i < rows, j < cols, and 0 for cols <= j < pitch, where pitch is rowPitch or tileCols.
	stack func(dst, src []float32, rows, cols, stride, pitch int)
	// touch brings rows of cols numbers, stride apart, to the second-level cache; it does not read them.
	touch func(src []float32, rows, cols, stride int)
	// pack makes dst[j·tileCols + i] = src[i·stride + j] for i < rows, j < cols, and 0 for rows <= i < tileCols.
	pack func(dst, src []float32, rows, cols, stride int)

	pairs *pairKernels // nil where the set has none

	unary  [backend.Softplus + 1]func(dst, x []float32)
	slope  [backend.Softplus + 1]func(dx, x, dy []float32) // dx = dy∘f', from the output where FromOutput
	binary [backend.Max + 1]func(dst, x, y []float32)

	axpby        func(dst, x []float32, a, b float32) // dst = a·x + b·dst; with b = 0 dst is not read
	sum          func(x []float32) float32
	dot          func(x, y []float32) float32
	max          func(x []float32) float32 // −Inf of no numbers
	sumSquares   func(x []float32) float64
	deviation    func(x []float32, mean float32) float32              // Σ (x−mean)²
	expSum       func(dst, x []float32, scale, shift float32) float32 // dst = exp(scale·x − shift), and its sum
	slopeSoftmax func(dx, y, dy []float32, mean float32)              // dx = y∘(dy − mean)
	rotate       func(da, db, a, b, cos, sin []float32)               // da = a∘cos − b∘sin, db = a∘sin + b∘cos
	dropout      func(dst, x []float32, seed, at, threshold uint32, scale float32)
	softmaxRow   func(x []float32, top, total float32, seed, at, threshold uint32, scale float32) (newTop, newTotal, factor float32)
	gradRow      func(p, e []float32, lse, mean float32, seed, at, threshold uint32, scale float32)
	adamW        func(p, g, m, v []float32, c *adamW)
	normalise    func(y, x, gain, bias []float32, mean, r float32)                  // y = (x−mean)·r·gain + bias; gain or bias may be empty
	normSums     func(x, dy, gain []float32, mean, r float32) (sumT, sumTN float32) // t = dy·gain, n = (x−mean)·r: Σ t, Σ t·n
	normGrad     func(dx, x, dy, gain []float32, mean, r, meanT, meanTN float32)    // dx = r·(t − meanT − n·meanTN)
	normParams   func(dgain, dbias, x, dy []float32, mean, r float32)               // dgain += dy·n, dbias += dy; either may be empty
	fromBF16     func(dst []float32, src []byte)
	fromF16      func(dst []float32, src []byte)
	fromI8       func(dst []float32, src []byte, scale float32)

	probe func(rounds int) // does 12·lanes independent multiplications with addition a round
}

// newKernels is the table of s, plain Go where s has nothing of its own.
func newKernels(s Set) *kernels {
	k := &kernels{
		set: Generic, tileRows: 4, tileCols: 4, lanes: 1, rowPitch: 4, depthBlock: 384, pack: packGeneric(4), stack: stackGeneric, touch: touchGeneric, probe: probeGeneric,
		binary: binaryGeneric, unary: unaryGeneric, slope: slopeGeneric,
		axpby: axpbyGeneric, sum: sumGeneric, dot: dotGeneric, max: maxGeneric, sumSquares: sumSquaresGeneric, deviation: deviationGeneric,
		expSum: expSumGeneric, slopeSoftmax: slopeSoftmaxGeneric, dropout: dropoutGeneric, rotate: rotateGeneric, softmaxRow: softmaxRowGeneric, gradRow: gradRowGeneric, adamW: adamWGeneric,
		normalise: normaliseGeneric, normSums: normSumsGeneric, normGrad: normGradGeneric, normParams: normParamsGeneric,
		fromBF16: fromBF16Generic, fromF16: fromF16Generic, fromI8: fromI8Generic,
	}
	k.pairs = &pairKernels{rows: k.tileRows, tile: pairsGeneric(k.tileCols), round: roundPairsGeneric, turn: turnPairsGeneric(k.tileCols)}
	for m := 1; m <= k.tileRows; m++ {
		k.tile[m] = tileGeneric(m)
	}
	accelerate(k, s)
	k.set = s
	return k
}
