package cpu

import (
	"encoding/binary"
	"math"

	"peft/tensor/internal/backend"
)

var binaryGeneric = [...]func(dst, x, y []float32){
	backend.Add: addGeneric, backend.Sub: subGeneric, backend.Mul: mulGeneric, backend.Div: divGeneric, backend.Max: largerGeneric,
}

// addGeneric makes dst = x + y.
func addGeneric(dst, x, y []float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] + y[i]
	}
}

// subGeneric makes dst = x − y.
func subGeneric(dst, x, y []float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] - y[i]
	}
}

// mulGeneric makes dst = x∘y.
func mulGeneric(dst, x, y []float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] * y[i]
	}
}

// divGeneric makes dst = x/y.
func divGeneric(dst, x, y []float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] / y[i]
	}
}

// largerGeneric makes dst the larger of x and y; NaN if either is.
func largerGeneric(dst, x, y []float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = max(x[i], y[i])
	}
}

// axpbyGeneric makes dst = a·x + b·dst.
func axpbyGeneric(dst, x []float32, a, b float32) {
	x = x[:len(dst)]
	if b == 0 {
		for i := range dst {
			dst[i] = a * x[i]
		}
		return
	}
	for i := range dst {
		dst[i] = a*x[i] + b*dst[i]
	}
}

// sumGeneric is Σ x, in four partial sums.
func sumGeneric(x []float32) float32 {
	var s [4]float32
	for ; len(x) >= 4; x = x[4:] {
		s[0] += x[0]
		s[1] += x[1]
		s[2] += x[2]
		s[3] += x[3]
	}
	for i, v := range x {
		s[i] += v
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// dotGeneric is Σ x·y, in four partial sums.
func dotGeneric(x, y []float32) float32 {
	var s [4]float32
	for ; len(x) >= 4; x, y = x[4:], y[4:] {
		y := y[:4]
		s[0] += x[0] * y[0]
		s[1] += x[1] * y[1]
		s[2] += x[2] * y[2]
		s[3] += x[3] * y[3]
	}
	for i, v := range x {
		s[i] += v * y[i]
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// maxGeneric is the largest of x, −Inf of no numbers, NaN if there is one.
func maxGeneric(x []float32) float32 {
	top := float32(math.Inf(-1))
	for _, v := range x {
		top = max(top, v)
	}
	return top
}

// sumSquaresGeneric is Σ x², in float64.
func sumSquaresGeneric(x []float32) float64 {
	var a, b float64
	for ; len(x) >= 2; x = x[2:] {
		a += float64(x[0]) * float64(x[0])
		b += float64(x[1]) * float64(x[1])
	}
	for _, v := range x {
		a += float64(v) * float64(v)
	}
	return a + b
}

// deviationGeneric is Σ (x−mean)², in four partial sums.
func deviationGeneric(x []float32, mean float32) float32 {
	var s [4]float32
	for i, v := range x {
		s[i%4] += (v - mean) * (v - mean)
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// expSumGeneric makes dst = exp(scale·x − shift) and returns its sum.
func expSumGeneric(dst, x []float32, scale, shift float32) float32 {
	var sum float64
	for i, v := range x {
		e := exp32(float32(scale*v) - shift)
		dst[i] = e
		sum += float64(e)
	}
	return float32(sum)
}

// slopeSoftmaxGeneric makes dx = y∘(dy−mean).
func slopeSoftmaxGeneric(dx, y, dy []float32, mean float32) {
	for j, v := range dy {
		dx[j] = y[j] * (v - mean)
	}
}

// dropoutGeneric makes dst[i] = scale·x[i] where backend.Hash(seed, at+i) >= threshold, else 0.
func dropoutGeneric(dst, x []float32, seed, at, threshold uint32, scale float32) {
	for i, v := range x {
		if backend.Hash(seed, at+uint32(i)) < threshold {
			v = 0
		} else {
			v *= scale
		}
		dst[i] = v
	}
}

// fromBF16Generic widens bfloat16 numbers: the upper halves of float32.
func fromBF16Generic(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

// fromF16Generic widens IEEE 754 binary16 numbers.
func fromF16Generic(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// half is the number that an IEEE 754 binary16 encodes.
func half(h uint16) float32 {
	sign := uint32(h>>15) << 31
	rest := uint32(h & 0x7fff)
	if rest >= 31<<10 { // infinity, NaN
		return math.Float32frombits(sign | 255<<23 | rest<<13)
	}
	const rebias = 0x1p112 // 2^(127−15): subnormal numbers become right as well
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(rest<<13)*rebias))
}

// fromI8Generic makes dst = scale·src.
func fromI8Generic(dst []float32, src []byte, scale float32) {
	for i := range dst {
		dst[i] = scale * float32(int8(src[i]))
	}
}
