package backendtest

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor/internal/backend"
	"peft/tensor/internal/reference"
)

// A faulty is the reference with one fault.
type faulty struct {
	*reference.Backend
	fault string
}

// has reports whether it has the fault.
func (f faulty) has(fault string) bool { return f.fault == fault }

func (f faulty) Fill(dst backend.Mat, v float64) {
	if f.has("Fill: strides") {
		dst = backend.Dense(dst.Buf, dst.Off, dst.Rows, dst.Cols)
	}
	f.Backend.Fill(dst, v)
}

func (f faulty) Axpby(dst backend.Mat, a float64, x backend.Mat, b float64) {
	if f.has("Axpby: reads") && b == 0 {
		b = 1e-300
	}
	f.Backend.Axpby(dst, a, x, b)
}

func (f faulty) Dropout(dst, x backend.Mat, p float64, key uint64, beta float64) {
	if f.has("Dropout: place") {
		dst, x = dst.T(), x.T()
	}
	f.Backend.Dropout(dst, x, p, key, beta)
}

func (f faulty) MatMul(dst, a, b backend.Mat, alpha, beta float64) {
	if f.has("MatMul: precision") {
		alpha *= 1 + 1e-4
	}
	f.Backend.MatMul(dst, a, b, alpha, beta)
}

func (f faulty) MulT(dst, x backend.Mat, w backend.Weight, e backend.Epilogue) {
	f.Backend.MulT(dst, x, w, e)
	if e.Pre != nil && f.has("MulT: pre") {
		f.Backend.Axpby(*e.Pre, 1, dst, 0)
	}
}

func (f faulty) LayerNorm(y, stats, x backend.Mat, gain, bias *backend.Mat, eps float64) {
	if f.has("LayerNorm: eps") {
		eps *= 1.01
	}
	f.Backend.LayerNorm(y, stats, x, gain, bias, eps)
}

func (f faulty) LayerNormGrad(dx, dgain, dbias *backend.Mat, dy, x, stats backend.Mat, gain *backend.Mat, beta float64) {
	if f.has("LayerNormGrad: overwrites") && dgain != nil {
		f.Backend.Fill(*dgain, 0)
	}
	f.Backend.LayerNormGrad(dx, dgain, dbias, dy, x, stats, gain, beta)
}

func (f faulty) GatherRows(dst, src backend.Mat, idx []int32, scale []float32, beta float64) {
	if f.has("GatherRows: none") && src.Rows > 0 {
		idx = append([]int32(nil), idx...)
		for i := range idx {
			idx[i] = max(0, idx[i])
		}
	}
	f.Backend.GatherRows(dst, src, idx, scale, beta)
}

func (f faulty) Rotate(dst, x backend.Mat, r *backend.Rotary, inverse bool, beta float64) {
	c := *r
	switch {
	case f.has("Rotate: angle"):
		c.Freq = append([]float64(nil), r.Freq...)
		for i, v := range c.Freq {
			c.Freq[i] = float64(float32(v))
		}
	case f.has("Rotate: scale") && inverse:
		c.Scale = 1 / r.Scale
	}
	f.Backend.Rotate(dst, x, &c, inverse, beta)
}

func (f faulty) attention(a *backend.Attention) *backend.Attention {
	c := *a
	switch {
	case f.has("Attention: window") && a.Window > 0:
		c.Window++
	case f.has("Attention: always"):
		c.Always = 0
	case f.has("Attention: cap"):
		c.Softcap = 0
	case f.has("Attention: bias"):
		c.Bias = nil
	case f.has("Attention: key"):
		c.Key++
	}
	return &c
}

func (f faulty) Attention(out, lse, q, k, v backend.Mat, a *backend.Attention) {
	f.Backend.Attention(out, lse, q, k, v, f.attention(a))
	if f.has("Attention: no keys") {
		f.Backend.Unary(backend.Exp, lse, lse)
		f.Backend.Unary(backend.Log, lse, lse)
		f.Backend.Binary(backend.Max, lse, lse, f.constant(lse, -1e4), 0)
	}
}

// constant is a matrix of the size of m.
func (f faulty) constant(m backend.Mat, v float64) backend.Mat {
	c := backend.Dense(f.Alloc(m.Rows*m.Cols), 0, m.Rows, m.Cols)
	f.Backend.Fill(c, v)
	return c
}

func (f faulty) AttentionGrad(dq, dk, dv, dbias *backend.Mat, dout, q, k, v, out, lse backend.Mat, a *backend.Attention, beta [3]float64) {
	if f.has("AttentionGrad: beta") {
		beta[1] = beta[0]
	}
	f.Backend.AttentionGrad(dq, dk, dv, dbias, dout, q, k, v, out, lse, f.attention(a), beta)
	if f.has("AttentionGrad: precision") && dv != nil {
		f.Backend.Axpby(*dv, 1+1e-3, *dv, 0)
	}
}

func (f faulty) CrossEntropy(loss, lse, logits backend.Mat, label []int32) {
	f.Backend.CrossEntropy(loss, lse, logits, label)
	if f.has("CrossEntropy: ignored") && len(label) > 0 && label[0] < 0 {
		f.Backend.Fill(loss.Slice(0, 1, 0, 1), 1)
	}
}

func (f faulty) AdamW(p, g, m, v backend.Mat, s backend.AdamW) {
	switch {
	case f.has("AdamW: rate"):
		s.Beta2 = float64(float32(s.Beta2))
	case f.has("AdamW: step"):
		s.Step++
	case f.has("AdamW: scale"):
		s.GradScale = 1
	}
	f.Backend.AdamW(p, g, m, v, s)
}

// The suite finds each of these faults, in the case that the fault is named after.
func TestFaults(t *testing.T) {
	faults := []string{
		"Fill: strides", "Axpby: reads", "Dropout: place", "MatMul: precision", "MulT: pre", "LayerNorm: eps", "LayerNormGrad: overwrites", "GatherRows: none",
		"Rotate: angle", "Rotate: scale", "Attention: window", "Attention: always", "Attention: cap", "Attention: bias", "Attention: key", "Attention: no keys",
		"AttentionGrad: beta", "AttentionGrad: precision", "CrossEntropy: ignored", "AdamW: rate", "AdamW: step", "AdamW: scale",
	}
	for _, fault := range faults {
		t.Run(fault, func(t *testing.T) { require.NotEmpty(t, messages(faulty{reference.New(), fault})) })
	}
	require.Empty(t, messages(faulty{reference.New(), "Fill: none"}))
}

// messages are what the suite says of a backend in the case that its fault is named after.
func messages(f faulty) []string {
	name, _, _ := strings.Cut(f.fault, ":")
	var failed failures
	for _, c := range cases() {
		if c.name == name {
			failed.run(func(to failer) { c.repeat(to, f) })
		}
	}
	return failed.messages
}

func TestNear(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		got, want, bound float64
		ok               bool
	}{
		{1, 1, 0, true}, {1 + 2*u, 1, 0, false}, {1 + u, 1, 0, true}, {0, 1e-40, 0, true}, {inf, inf, 0, true}, {-inf, inf, 0, false}, {inf, 1e39, 0, true},
		{inf, 1e30, 0, false}, {math.NaN(), 1, 1, false}, {math.NaN(), math.NaN(), 0, true}, {1, math.NaN(), 1, false}, {5, 1, inf, true},
	} {
		require.Equal(t, c.ok, near(c.got, c.want, c.bound), "%v", c)
	}
}
