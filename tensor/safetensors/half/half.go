// Package half converts between float32 and the two 16-bit formats of model files: float16 (IEEE 754 binary16: 5 bits of exponent, 10 of fraction) and
// bfloat16 (the upper half of a float32: 8 bits of exponent, 7 of fraction). A 16-bit number is its bits in a uint16.
//
// From either format every value is exact. To either format it is rounded to the nearest one, of two equally near to the one whose last bit is 0.
package half

import "math"

const (
	sign     = 1 << 15
	infinity = 0x7f800000 // float32's
)

// FromF16 is the value of the float16 with the given bits.
func FromF16(bits uint16) float32 {
	s, magnitude := uint32(bits&sign)<<16, uint32(bits&^sign)<<13
	if magnitude >= 0x1f<<23 {
		return math.Float32frombits(s | infinity | magnitude)
	}
	// The fields are in place; only the exponent's bias is off, by 127-15, also for subnormals.
	return math.Float32frombits(s | math.Float32bits(math.Float32frombits(magnitude)*0x1p112))
}

// ToF16 is the bits of the float16 nearest to x. From 65520 on that is infinity; a NaN stays one, made quiet.
func ToF16(x float32) uint16 {
	b := math.Float32bits(x)
	s, magnitude := uint16(b>>16)&sign, b&^(sign<<16)
	switch {
	case magnitude > infinity:
		return s | 0x7e00 | uint16(magnitude>>13)&0x3ff
	case magnitude >= 143<<23: // 2^16
		return s | 0x7c00
	case magnitude < 113<<23: // 2^-14: the result is a multiple of 2^-24, the last bit of 0.5, so the sum rounds it.
		return s | uint16(math.Float32bits(math.Float32frombits(magnitude)+0.5)-math.Float32bits(0.5))
	}
	return s | uint16(round(magnitude-112<<23, 13))
}

// FromBF16 is the value of the bfloat16 with the given bits.
func FromBF16(bits uint16) float32 { return math.Float32frombits(uint32(bits) << 16) }

// ToBF16 is the bits of the bfloat16 nearest to x. Beyond the largest that is infinity; a NaN stays one, made quiet.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40
	}
	return uint16(round(b, 16))
}

// round is bits without their last n, rounded to nearest, ties to even. A carry runs into the exponent, where it belongs.
func round(bits uint32, n uint) uint32 {
	return (bits + 1<<(n-1) - 1 + bits>>n&1) >> n
}
