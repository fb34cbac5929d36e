package profile

import "peft/tensor/internal/backend"

func (t *timed) LayerNorm(y, stats, x backend.Mat, gain, bias *backend.Mat, eps float64) {
	defer t.begin(key{name: "LayerNorm"}, 0, read(y, stats, x)+optional(gain, bias)).end()
	t.inner.LayerNorm(y, stats, x, gain, bias, eps)
}

func (t *timed) LayerNormGrad(dx, dgain, dbias *backend.Mat, dy, x, stats backend.Mat, gain *backend.Mat, beta float64) {
	defer t.begin(key{name: "LayerNormGrad"}, 0, maybe(dx, beta)+maybe(dgain, 1)+maybe(dbias, 1)+read(dy, x, stats)+optional(gain)).end()
	t.inner.LayerNormGrad(dx, dgain, dbias, dy, x, stats, gain, beta)
}

func (t *timed) RMSNorm(y, stats, x backend.Mat, gain *backend.Mat, eps float64) {
	defer t.begin(key{name: "RMSNorm"}, 0, read(y, stats, x)+optional(gain)).end()
	t.inner.RMSNorm(y, stats, x, gain, eps)
}

func (t *timed) RMSNormGrad(dx, dgain *backend.Mat, dy, x, stats backend.Mat, gain *backend.Mat, beta float64) {
	defer t.begin(key{name: "RMSNormGrad"}, 0, maybe(dx, beta)+maybe(dgain, 1)+read(dy, x, stats)+optional(gain)).end()
	t.inner.RMSNormGrad(dx, dgain, dy, x, stats, gain, beta)
}

func (t *timed) Softmax(y, x backend.Mat) {
	defer t.begin(key{name: "Softmax"}, 0, read(y, x)).end()
	t.inner.Softmax(y, x)
}

func (t *timed) SoftmaxGrad(dx, y, dy backend.Mat, beta float64) {
	defer t.begin(key{name: "SoftmaxGrad"}, 0, read(y, dy)+update(dx, beta)).end()
	t.inner.SoftmaxGrad(dx, y, dy, beta)
}

func (t *timed) CrossEntropy(loss, lse, logits backend.Mat, label []int32) {
	defer t.begin(key{name: "CrossEntropy"}, 0, read(loss, lse, logits)).end()
	t.inner.CrossEntropy(loss, lse, logits, label)
}

func (t *timed) CrossEntropyGrad(dlogits, logits, lse, dloss backend.Mat, label []int32, beta float64) {
	defer t.begin(key{name: "CrossEntropyGrad"}, 0, read(logits, lse, dloss)+update(dlogits, beta)).end()
	t.inner.CrossEntropyGrad(dlogits, logits, lse, dloss, label, beta)
}
