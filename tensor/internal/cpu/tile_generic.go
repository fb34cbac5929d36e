package cpu

// maxTileRows is the largest number of rows of any set's tiles.
const maxTileRows = 14

// A tileFunc multiplies a row of tiles: c[i·cr + j] = alpha·Σ_l a[i·ar + l·ac]·b(l, j) + bias[j] + beta·c[i·cr + j] for the rows i that it is made for, l < depth and columns
// j < n, where b(l, j) = b[j/tileCols·next + l·br + j%tileCols]. Either ac or ar is 1. Rows at ahead, stride
// apart, are those that will be multiplied next; they are brought into the cache meanwhile. With beta = 0 c is not read; bias may be empty. Of b no number from column n on is read.
type tileFunc func(c []float32, cr int, a []float32, ar, ac int, b []float32, br, next int, depth, n int, alpha, beta float32, bias, ahead []float32, stride int)

// tileGeneric multiplies tiles of the given number of rows, at most 4, by 2×4 sums at a time: as many as fit into the registers of any processor.
func tileGeneric(rows int) tileFunc {
	return func(c []float32, cr int, a []float32, ar, ac int, b []float32, br, next int, depth, n int, alpha, beta float32, bias, _ []float32, _ int) {
		for j, q := 0, 0; j < n; j, q = j+4, q+next {
			for i := 0; i < rows; i += 2 {
				second := min(1, rows-i-1) // the second row, or the first again
				sum := tile2x4(a[i*ar:], a[(i+second)*ar:], ac, b[q:], br, depth, min(4, n-j))
				for r := 0; r <= second; r++ {
					out := c[(i+r)*cr+j:][:min(4, n-j)]
					blend(out, sum[r][:], alpha, beta)
					if len(bias) > 0 {
						addGeneric(out, out, bias[j:])
					}
				}
			}
		}
	}
}

// blend makes c = alpha·sum + beta·c.
func blend(c, sum []float32, alpha, beta float32) {
	for j := range c {
		v := alpha * sum[j]
		if beta != 0 {
			v += beta * c[j]
		}
		c[j] = v
	}
}

// tile2x4 is Σ_l a·b for two rows and n <= 4 columns.
func tile2x4(a0, a1 []float32, ac int, b []float32, br, depth, n int) (sum [2][4]float32) {
	if n < 4 {
		for l := range depth {
			for j, y := range b[l*br:][:n] {
				sum[0][j] += a0[l*ac] * y
				sum[1][j] += a1[l*ac] * y
			}
		}
		return sum
	}
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	for l := range depth {
		x0, x1 := a0[l*ac], a1[l*ac]
		y := b[l*br:][:4:4]
		s00 += x0 * y[0]
		s01 += x0 * y[1]
		s02 += x0 * y[2]
		s03 += x0 * y[3]
		s10 += x1 * y[0]
		s11 += x1 * y[1]
		s12 += x1 * y[2]
		s13 += x1 * y[3]
	}
	return [2][4]float32{{s00, s01, s02, s03}, {s10, s11, s12, s13}}
}

// packGeneric makes the pack kernel for panels of the given number of columns.
func packGeneric(tileCols int) func(dst, src []float32, rows, cols, stride int) {
	return func(dst, src []float32, rows, cols, stride int) {
		for j := range cols {
			out := dst[j*tileCols:][:tileCols]
			for i := range rows {
				out[i] = src[i*stride+j]
			}
			clear(out[rows:])
		}
	}
}

// stackGeneric copies rows of at most pitch numbers, filling them up with zeros.
func stackGeneric(dst, src []float32, rows, cols, stride, pitch int) {
	for i := range rows {
		out := dst[i*pitch:][:pitch]
		clear(out[copy(out, src[i*stride:][:cols]):])
	}
}

// touchGeneric leaves it to the processor to fetch what is read.
func touchGeneric([]float32, int, int, int) {}
