package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

// A norm is a normalisation of rows, forward or backward. RMS norms have no mean.
type norm struct {
	k            *kernels
	y, x, dy     view
	stats        view
	gain, bias   view // of one row with neighbours, or none
	dgain, dbias view // of one row for each band, or none
	rms          bool
	eps          float64
	beta         float32
	share        int // rows of a task of the backward pass
}

// LayerNorm makes y = (x−mean)/√(var+eps)∘gain + bias, and stats.
func (b *Backend) LayerNorm(y, stats, x backend.Mat, gain, bias *backend.Mat, eps float64) {
	b.normalise(norm{y: see(y), stats: see(stats), x: see(x), gain: seeOrNone(gain), bias: seeOrNone(bias), eps: eps})
}

// RMSNorm makes y = x/√(mean(x²)+eps)∘gain, and stats.
func (b *Backend) RMSNorm(y, stats, x backend.Mat, gain *backend.Mat, eps float64) {
	b.normalise(norm{y: see(y), stats: see(stats), x: see(x), gain: seeOrNone(gain), eps: eps, rms: true})
}

// normalise does n, forward.
func (b *Backend) normalise(n norm) {
	n.k = b.kernels
	run(b, blocks(n.x.rows, band/4), normForward(n))
}

// parameter is a gain or bias as contiguous numbers, empty where there is none.
func (v view) parameter(w *worker, s slot) []float32 {
	if v.none() {
		return nil
	}
	return v.row(0, 0, v.cols, w.floats(s, v.cols))
}

// normForward is a norm's forward pass.
type normForward norm

// chunk normalises the rows of a quarter of a band.
func (n *normForward) chunk(w *worker, c int) {
	d := n.x.cols
	gain, bias := n.gain.parameter(w, slotY), n.bias.parameter(w, slotZ)
	for i := c * (band / 4); i < min((c+1)*(band/4), n.x.rows); i++ {
		x := n.x.row(i, 0, d, w.floats(slotX, d))
		mean, r := n.moments(x)
		if n.rms {
			n.stats.set(i, 0, r)
		} else {
			n.stats.set(i, 0, mean)
			n.stats.set(i, 1, r)
		}
		if n.y.rowwise() {
			n.k.normalise(n.y.row(i, 0, d, nil), x, gain, bias, mean, r)
			continue
		}
		out := w.floats(slotOut, d)
		n.k.normalise(out, x, gain, bias, mean, r)
		n.y.put(i, 0, out)
	}
}

// moments is the mean of x (0 for an RMS norm) and 1/√(mean (x−mean)² + eps).
func (n *normForward) moments(x []float32) (mean, r float32) {
	d := float64(len(x))
	if !n.rms {
		mean = float32(float64(n.k.sum(x)) / d)
	}
	return mean, float32(1 / math.Sqrt(float64(n.k.deviation(x, mean))/d+n.eps))
}

// LayerNormGrad makes dx from dy, and adds to dgain and dbias.
func (b *Backend) LayerNormGrad(dx, dgain, dbias *backend.Mat, dy, x, stats backend.Mat, gain *backend.Mat, beta float64) {
	b.normGrad(norm{y: seeOrNone(dx), dy: see(dy), x: see(x), stats: see(stats), gain: seeOrNone(gain), beta: float32(beta)}, dgain, dbias)
}

// RMSNormGrad is LayerNormGrad for RMSNorm.
func (b *Backend) RMSNormGrad(dx, dgain *backend.Mat, dy, x, stats backend.Mat, gain *backend.Mat, beta float64) {
	b.normGrad(norm{y: seeOrNone(dx), dy: see(dy), x: see(x), stats: see(stats), gain: seeOrNone(gain), beta: float32(beta), rms: true}, dgain, nil)
}

// normGrad does n, backward.
func (b *Backend) normGrad(n norm, dgain, dbias *backend.Mat) {
	n.k = b.kernels
	n.share = band
	rows, d := blocks(n.x.rows, band), n.x.cols
	room := 2 * rows * d
	if dgain == nil && dbias == nil { // rows are on their own
		n.share, room = band/4, 0
	}
	part := b.pool.get(max(room, 1))
	if dgain != nil {
		n.dgain = dense(part.data, rows, d)
	}
	if dbias != nil {
		n.dbias = dense(part.data[rows*d:], rows, d)
	}
	run(b, blocks(n.x.rows, n.share), normBackward(n))
	if dgain != nil {
		b.combine(see(*dgain), n.dgain, 1)
	}
	if dbias != nil {
		b.combine(see(*dbias), n.dbias, 1)
	}
	b.pool.put(part)
}

// normBackward is a norm's backward pass.
type normBackward norm

// chunk does share c of the rows: a band where there are sums for each band.
func (n *normBackward) chunk(w *worker, c int) {
	d := n.x.cols
	var dgain, dbias []float32
	if !n.dgain.none() {
		dgain = n.dgain.row(c, 0, d, nil)
		clear(dgain)
	}
	if !n.dbias.none() {
		dbias = n.dbias.row(c, 0, d, nil)
		clear(dbias)
	}
	gain := n.gain.parameter(w, slotZ)
	for i := c * n.share; i < min((c+1)*n.share, n.x.rows); i++ {
		x, dy := n.x.row(i, 0, d, w.floats(slotX, d)), n.dy.row(i, 0, d, w.floats(slotY, d))
		mean, r := float32(0), n.stats.at(i, 0)
		if !n.rms {
			mean, r = r, n.stats.at(i, 1)
		}
		n.k.normParams(dgain, dbias, x, dy, mean, r)
		if !n.y.none() {
			n.input(w, i, x, dy, gain, mean, r)
		}
	}
}

// input makes the gradient of row i by x.
func (n *normBackward) input(w *worker, i int, x, dy, gain []float32, mean, r float32) {
	d := float32(len(x))
	sumT, sumTN := n.k.normSums(x, dy, gain, mean, r)
	if n.rms {
		sumT = 0
	}
	if n.y.rowwise() && n.beta == 0 {
		n.k.normGrad(n.y.row(i, 0, len(x), nil), x, dy, gain, mean, r, sumT/d, sumTN/d)
		return
	}
	out := w.floats(slotOut, len(x))
	n.k.normGrad(out, x, dy, gain, mean, r, sumT/d, sumTN/d)
	n.k.store(n.y, i, 0, out, n.beta)
}
