package cpu

import "math"

// pairsGeneric multiplies by panels of the given number of columns.
func pairsGeneric(tileCols int) pairsFunc {
	return func(c []float32, cr int, a []uint32, ar int, b []uint32, next, depth, rows, n int, beta float32, bias, _ []float32) {
		for i := range rows {
			out, row := c[i*cr:][:n], a[i*ar:][:depth]
			for j := range out {
				sum := dotPairs(row, b[j/tileCols*next+j%tileCols:], tileCols)
				if len(bias) > 0 {
					sum += bias[j]
				}
				if beta != 0 {
					sum += beta * out[j]
				}
				out[j] = sum
			}
		}
	}
}

// dotPairs is the sum of products of the pairs of a and every stride-th one of b.
func dotPairs(a, b []uint32, stride int) (sum float32) {
	for l, x := range a {
		y := b[l*stride]
		sum += math.Float32frombits(x<<16) * math.Float32frombits(y<<16)
		sum += math.Float32frombits(x&0xffff0000) * math.Float32frombits(y&0xffff0000)
	}
	return sum
}

// roundPairsGeneric rounds rows to pairs.
func roundPairsGeneric(dst []uint32, src []float32, rows, cols, stride, pitch int) {
	for i := range rows {
		out := dst[i*pitch:][:pairsOf(cols)]
		clear(out)
		for j, x := range src[i*stride:][:cols] {
			out[j/2] |= roundHalf(x) << (16 * (j % 2))
		}
	}
}

// roundHalf is the bfloat16 number nearest to x, ties to even. Denormal numbers become zero, as they do in the instructions for it.
func roundHalf(x float32) uint32 {
	b := math.Float32bits(x)
	switch exponent := b >> 23 & 0xff; {
	case x != x:
		return b>>16 | 0x40 // quiet
	case exponent == 0:
		return b >> 16 & 0x8000
	}
	return (b + 0x7fff + b>>16&1) >> 16
}

// turnPairsGeneric turns squares of so many numbers on a side.
func turnPairsGeneric(size int) func(dst, src []uint32) {
	return func(dst, src []uint32) {
		for l := 0; l < size; l += 2 {
			for j := range size {
				shift, pair := 16*(j%2), src[j/2*size+l:][:2]
				dst[l/2*size+j] = pair[0]>>shift&0xffff | pair[1]>>shift<<16
			}
		}
	}
}
