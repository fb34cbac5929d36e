package cpu

import (
	"math"
	"slices"
	"sync"

	"peft/tensor/internal/backend"
)

// A rotation turns heads.
type rotation struct {
	k       *kernels
	dst, x  view
	r       *backend.Rotary
	angles  *angles
	inverse bool
	beta    float32
}

// Rotate makes dst = x with each head's pairs turned by its row's angle, + beta·dst.
func (b *Backend) Rotate(dst, x backend.Mat, r *backend.Rotary, inverse bool, beta float64) {
	if x.Rows == 0 || x.Cols == 0 {
		return
	}
	run(b, blocks(x.Rows, band/4), rotation{b.kernels, see(dst), see(x), r, b.anglesOf(r), inverse, float32(beta)})
}

// chunk turns the rows of a quarter of a band.
func (t *rotation) chunk(w *worker, c int) {
	size := t.x.cols / t.r.Heads
	for i := c * (band / 4); i < min((c+1)*(band/4), t.x.rows); i++ {
		cos, sin := t.angles.line(i, t.r.Pos[i])
		x, out := t.x.row(i, 0, t.x.cols, w.floats(slotX, t.x.cols)), w.floats(slotOut, t.x.cols)
		for h := range t.r.Heads {
			t.turn(out[h*size:][:size], x[h*size:][:size], cos, sin)
		}
		t.k.store(t.dst, i, 0, out, t.beta)
	}
}

// turn turns the pairs of one head; numbers beyond them stay. Turned back, the second of a pair is to the first what the first is to the second otherwise.
func (t *rotation) turn(dst, x, cos, sin []float32) {
	half := len(cos)
	copy(dst[2*half:], x[2*half:])
	first, second := 0, 1
	if t.inverse {
		first, second = 1, 0
	}
	if !t.r.Interleaved {
		first, second = first*half, second*half
		t.k.rotate(dst[first:][:half], dst[second:][:half], x[first:][:half], x[second:][:half], cos, sin)
		return
	}
	for c, cs := range cos {
		a, b := x[2*c+first], x[2*c+second]
		dst[2*c+first], dst[2*c+second] = a*cs-b*sin[c], a*sin[c]+b*cs
	}
}

// rotateGeneric turns pairs (a, b) to (da, db).
func rotateGeneric(da, db, a, b, cos, sin []float32) {
	for c, cs := range cos {
		x, y := a[c], b[c]
		da[c], db[c] = x*cs-y*sin[c], x*sin[c]+y*cs
	}
}

// angles are the scaled cosines and sines of the angles at some positions, half of a head's turned numbers a line.
type angles struct {
	freq     []float64
	scale    float64
	low      int // the position of the first line, if there is one for each position up to the last
	lines    int
	perRow   bool // there is a line for each row
	cos, sin []float32
}

// line is that of row i at a position.
func (a *angles) line(i int, pos int32) (cos, sin []float32) {
	half := len(a.freq)
	if !a.perRow {
		i = int(pos) - a.low
	}
	return a.cos[i*half:][:half], a.sin[i*half:][:half]
}

// An almanac keeps the angles that were asked for last: all layers of a model, and all steps, ask for the same.
type almanac struct {
	mu   sync.Mutex
	last []*angles
}

// anglesOf are those that r needs: of all positions from the lowest to the highest, and those of whole blocks, as the next word's is the next one; unless these are so far apart that one line a
// row is less.
func (b *Backend) anglesOf(r *backend.Rotary) *angles {
	const kept, block = 4, 64
	low, high := slices.Min(r.Pos), slices.Max(r.Pos)
	a := &angles{freq: r.Freq[:r.Dim/2], scale: r.Scale, low: int(low), lines: int(high) - int(low) + 1}
	if a.lines > 2*len(r.Pos) {
		a.lines, a.perRow = len(r.Pos), true
		a.fill(b, r.Pos)
		return a
	}
	b.almanac.mu.Lock()
	defer b.almanac.mu.Unlock()
	for _, old := range b.almanac.last {
		if old.covers(a) {
			return old
		}
	}
	from, last := int(low)&^(block-1), int(high)|(block-1)
	a.low, a.lines = from, last-from+1
	a.fill(b, nil)
	if len(b.almanac.last) == kept {
		b.almanac.last = slices.Delete(b.almanac.last, 0, 1)
	}
	b.almanac.last = append(b.almanac.last, a)
	return a
}

// covers reports whether old has all that a is to have.
func (old *angles) covers(a *angles) bool {
	return old.low <= a.low && a.low+a.lines <= old.low+old.lines && old.scale == a.scale && slices.Equal(old.freq, a.freq)
}

// fill computes the angles, of the given positions if there is a line for each row.
func (a *angles) fill(b *Backend, pos []int32) {
	n := a.lines * len(a.freq)
	a.freq, a.cos, a.sin = slices.Clone(a.freq), make([]float32, n), make([]float32, n)
	run(b, blocks(a.lines, band), anglesTask{a, pos})
}

// anglesTask fills angles.
type anglesTask struct {
	*angles
	pos []int32
}

// chunk fills a band of lines.
func (t *anglesTask) chunk(_ *worker, c int) {
	for l := c * band; l < min((c+1)*band, t.lines); l++ {
		pos := float64(t.low + l)
		if t.perRow {
			pos = float64(t.pos[l])
		}
		for i, f := range t.freq {
			sin, cos := math.Sincos(pos * f)
			t.cos[l*len(t.freq)+i], t.sin[l*len(t.freq)+i] = float32(t.scale*cos), float32(t.scale*sin)
		}
	}
}
