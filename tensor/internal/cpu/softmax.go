package cpu

import (
	"math"

	"peft/tensor/internal/backend"
)

// A rowwise is an operation on whole rows: softmax or a loss.
type rowwise struct {
	k                *kernels
	y, x, dy         view
	loss, lse, dloss view
	label            []int32
	beta             float32
	f                func(r *rowwise, w *worker, i int)
	rows, share      int
}

// rowwise does r.f for all rows of r.x, chunks of about the same number of numbers.
func (b *Backend) rowwise(r rowwise) {
	r.k, r.rows = b.kernels, r.x.rows
	r.share = max(1, 8*stride/max(r.x.cols, 1))
	run(b, blocks(r.rows, r.share), r)
}

// chunk does one share of the rows.
func (r *rowwise) chunk(w *worker, c int) {
	for i := c * r.share; i < min((c+1)*r.share, r.rows); i++ {
		r.f(r, w, i)
	}
}

// out is where row i of y is to be made: itself, or scratch memory that done stores.
func (r *rowwise) out(w *worker, i int) []float32 {
	if r.y.rowwise() && r.beta == 0 {
		return r.y.row(i, 0, r.y.cols, nil)
	}
	return w.floats(slotOut, r.y.cols)
}

// done stores what out gave.
func (r *rowwise) done(i int, out []float32) {
	if !r.y.rowwise() || r.beta != 0 {
		r.k.store(r.y, i, 0, out, r.beta)
	}
}

// Softmax makes y = exp(x)/Σexp(x), row by row.
func (b *Backend) Softmax(y, x backend.Mat) {
	b.rowwise(rowwise{y: see(y), x: see(x), f: softmax})
}

// softmax does row i.
func softmax(r *rowwise, w *worker, i int) {
	x, y := r.x.row(i, 0, r.x.cols, w.floats(slotX, r.x.cols)), r.out(w, i)
	sum := r.k.expSum(y, x, 1, r.k.max(x))
	r.k.axpby(y, y, 1/sum, 0)
	r.done(i, y)
}

// SoftmaxGrad makes dx = y∘(dy − Σ dy∘y) + beta·dx, row by row.
func (b *Backend) SoftmaxGrad(dx, y, dy backend.Mat, beta float64) {
	b.rowwise(rowwise{y: see(dx), x: see(y), dy: see(dy), beta: float32(beta), f: softmaxGrad})
}

// softmaxGrad does row i.
func softmaxGrad(r *rowwise, w *worker, i int) {
	n := r.x.cols
	y, dy, dx := r.x.row(i, 0, n, w.floats(slotX, n)), r.dy.row(i, 0, n, w.floats(slotY, n)), r.out(w, i)
	mean := r.k.dot(dy, y)
	r.k.slopeSoftmax(dx, y, dy, mean)
	r.done(i, dx)
}

// CrossEntropy makes loss[i] = log Σexp(logits[i]) − logits[i][label[i]], and lse[i].
func (b *Backend) CrossEntropy(loss, lse, logits backend.Mat, label []int32) {
	b.rowwise(rowwise{x: see(logits), loss: see(loss), lse: see(lse), label: label, f: crossEntropy})
}

// crossEntropy does row i.
func crossEntropy(r *rowwise, w *worker, i int) {
	var loss, lse float64
	if y := r.label[i]; y >= 0 {
		x := r.x.row(i, 0, r.x.cols, w.floats(slotX, r.x.cols))
		lse = r.k.logSumExp(w, x)
		loss = lse - float64(x[y])
	}
	r.lse.set(i, 0, float32(lse))
	r.loss.set(i, 0, float32(loss))
}

// logSumExp is log Σ exp(x).
func (k *kernels) logSumExp(w *worker, x []float32) float64 {
	top := k.max(x)
	if math.IsInf(float64(top), -1) {
		return float64(top)
	}
	var sum float64
	for j := 0; j < len(x); j += stride {
		part := x[j:min(j+stride, len(x))]
		sum += float64(k.expSum(w.floats(slotOut, len(part)), part, 1, top))
	}
	return float64(top) + math.Log(sum)
}

// CrossEntropyGrad makes dlogits = dloss[i]·(softmax(logits[i]) − onehot(label[i])) + beta·dlogits.
func (b *Backend) CrossEntropyGrad(dlogits, logits, lse, dloss backend.Mat, label []int32, beta float64) {
	b.rowwise(rowwise{y: see(dlogits), x: see(logits), lse: see(lse), dloss: see(dloss), label: label, beta: float32(beta), f: crossEntropyGrad})
}

// crossEntropyGrad does row i.
func crossEntropyGrad(r *rowwise, w *worker, i int) {
	n := r.x.cols
	x, dx, label := r.x.row(i, 0, n, w.floats(slotX, n)), r.out(w, i), r.label[i]
	if label < 0 {
		clear(dx)
	} else {
		d := r.dloss.at(i, 0)
		r.k.expSum(dx, x, 1, r.lse.at(i, 0))
		dx[label]--
		r.k.axpby(dx, dx, d, 0)
	}
	r.done(i, dx)
}
