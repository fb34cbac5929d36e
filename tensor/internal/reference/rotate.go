package reference

import (
	"math"

	"peft/tensor/internal/backend"
)

// Rotate makes, for pair c = (a, b) of each head of row i, with the angle t = Pos[i]·Freq[c], or −t where inverse,
// dst[a] = Scale·(x[a]·cos t − x[b]·sin t) + beta·dst[a] and dst[b] = Scale·(x[a]·sin t + x[b]·cos t) + beta·dst[b]; numbers of a head from Dim on stay.
// Inverse is the transposed map, hence the gradient of the other.
func (*Backend) Rotate(dst, x backend.Mat, r *backend.Rotary, inverse bool, beta float64) {
	size := x.Cols / r.Heads
	for h := range r.Heads {
		to, from := dst.Slice(0, dst.Rows, h*size, (h+1)*size), x.Slice(0, x.Rows, h*size, (h+1)*size)
		for i := range x.Rows {
			rotateHead(to, from, i, r, inverse, beta)
		}
	}
}

// rotateHead is Rotate for row i of one head.
func rotateHead(dst, x backend.Mat, i int, r *backend.Rotary, inverse bool, beta float64) {
	for c := range r.Dim / 2 {
		t := float64(r.Pos[i]) * r.Freq[c]
		if inverse {
			t = -t
		}
		sin, cos := math.Sincos(t)
		a, b := pair(r, c)
		xa, xb := *at(x, i, a), *at(x, i, b)
		put(dst, i, a, r.Scale*(xa*cos-xb*sin), beta)
		put(dst, i, b, r.Scale*(xa*sin+xb*cos), beta)
	}
	for j := r.Dim; j < x.Cols; j++ {
		put(dst, i, j, *at(x, i, j), beta)
	}
}

// pair is where the two numbers of pair c stand in a head.
func pair(r *backend.Rotary, c int) (a, b int) {
	if r.Interleaved {
		return 2 * c, 2*c + 1
	}
	return c, c + r.Dim/2
}
