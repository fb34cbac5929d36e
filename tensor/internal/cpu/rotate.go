package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

// A rotation turns heads. The cosines and sines of all positions from low on stand in cos and sin, Dim/2 a position.
type rotation struct {
	k        *kernels
	dst, x   view
	r        *backend.Rotary
	low      int
	cos, sin []float32
	beta     float32
}

// Rotate makes dst = x with each head's pairs turned by its row's angle, + beta·dst.
func (b *Backend) Rotate(dst, x backend.Mat, r *backend.Rotary, inverse bool, beta float64) {
	if x.Rows == 0 || x.Cols == 0 {
		return
	}
	low, high := r.Pos[0], r.Pos[0]
	for _, p := range r.Pos {
		low, high = min(low, p), max(high, p)
	}
	// One table for all positions, unless they are so far apart that one line a row is less.
	n, perRow := int(high)-int(low)+1, false
	if n > 2*x.Rows {
		n, perRow = x.Rows, true
	}
	half := r.Dim / 2
	table := b.pool.get(max(2*n*half, 1))
	t := rotation{k: b.kernels, dst: see(dst), x: see(x), r: r, low: int(low), cos: table.data[:n*half], sin: table.data[n*half:][:n*half], beta: float32(beta)}
	if perRow {
		t.low = math.MinInt
	}
	run(b, blocks(n, band), rotationTable{rotation: t, inverse: inverse})
	run(b, blocks(x.Rows, band/4), t)
	b.pool.put(table)
}

// rotationTable fills a rotation's table.
type rotationTable struct {
	rotation
	inverse bool
}

// chunk fills a band of lines.
func (t *rotationTable) chunk(_ *worker, c int) {
	half := t.r.Dim / 2
	if half == 0 {
		return
	}
	for l := c * band; l < min((c+1)*band, len(t.cos)/half); l++ {
		pos := float64(t.low + l)
		if t.low == math.MinInt {
			pos = float64(t.r.Pos[l])
		}
		for i, f := range t.r.Freq[:half] {
			sin, cos := math.Sincos(pos * f)
			if t.inverse {
				sin = -sin
			}
			t.cos[l*half+i], t.sin[l*half+i] = float32(t.r.Scale*cos), float32(t.r.Scale*sin)
		}
	}
}

// chunk turns the rows of a quarter of a band.
func (t *rotation) chunk(w *worker, c int) {
	size, half := t.x.cols/t.r.Heads, t.r.Dim/2
	for i := c * (band / 4); i < min((c+1)*(band/4), t.x.rows); i++ {
		line := i
		if t.low != math.MinInt {
			line = int(t.r.Pos[i]) - t.low
		}
		cos, sin := t.cos[line*half:][:half], t.sin[line*half:][:half]
		x, out := t.x.row(i, 0, t.x.cols, w.floats(slotX, t.x.cols)), w.floats(slotOut, t.x.cols)
		for h := range t.r.Heads {
			turn(out[h*size:][:size], x[h*size:][:size], cos, sin, t.r.Interleaved)
		}
		t.k.store(t.dst, i, 0, out, t.beta)
	}
}

// turn turns the pairs of one head; numbers beyond them stay.
func turn(dst, x, cos, sin []float32, interleaved bool) {
	half := len(cos)
	copy(dst[2*half:], x[2*half:])
	if interleaved {
		for c, cs := range cos {
			a, b := x[2*c], x[2*c+1]
			dst[2*c], dst[2*c+1] = a*cs-b*sin[c], a*sin[c]+b*cs
		}
		return
	}
	sin = sin[:half]
	xa, xb, da, db := x[:half], x[half:2*half], dst[:half], dst[half:2*half]
	for c, cs := range cos {
		a, b := xa[c], xb[c]
		da[c], db[c] = a*cs-b*sin[c], a*sin[c]+b*cs
	}
}
