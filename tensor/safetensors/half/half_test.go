package half_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"peft/tensor/safetensors/half"
)

type format struct {
	name     string
	from     func(uint16) float32
	to       func(float32) uint16
	infinity uint16
	quiet    uint16 // the bit that makes a NaN quiet
}

var formats = []format{
	{"float16", half.FromF16, half.ToF16, 0x7c00, 0x0200},
	{"bfloat16", half.FromBF16, half.ToBF16, 0x7f80, 0x0040},
}

// TestEveryValueComesBack: all 65536.
func TestEveryValueComesBack(t *testing.T) {
	for _, f := range formats {
		for i := range 1 << 16 {
			bits := uint16(i)
			want := bits
			if bits&0x7fff > f.infinity {
				want |= f.quiet
			}
			if got := f.to(f.from(bits)); got != want {
				t.Fatalf("%s %#04x comes back as %#04x, expected %#04x", f.name, bits, got, want)
			}
		}
	}
}

// TestRoundsToNearestEven looks at the point halfway between every two neighbours, and just beside it: since rounding is monotone, this is all of it.
func TestRoundsToNearestEven(t *testing.T) {
	for _, f := range formats {
		for bits := uint16(0); bits < f.infinity; bits++ {
			middle := halfway(f, bits)
			below, above := math.Nextafter32(middle, 0), math.Nextafter32(middle, math.MaxFloat32)
			even := bits + bits&1
			for _, c := range []struct {
				x    float32
				want uint16
			}{{middle, even}, {below, bits}, {above, bits + 1}, {-middle, even | 0x8000}, {-below, bits | 0x8000}} {
				if got := f.to(c.x); got != c.want {
					t.Fatalf("%s of %g is %#04x, expected %#04x", f.name, c.x, got, c.want)
				}
			}
		}
	}
}

// halfway is the middle of a value and its successor; that of the largest value is the power of two above it.
func halfway(f format, bits uint16) float32 {
	x, y := float64(f.from(bits)), float64(f.from(bits+1))
	if math.IsInf(y, 0) {
		y = 2*x - float64(f.from(bits-1))
	}
	return float32((x + y) / 2)
}

func TestSpecialValues(t *testing.T) {
	assert.EqualValues(t, 65504, half.FromF16(0x7bff))
	assert.EqualValues(t, 0x1p-24, half.FromF16(1))
	assert.Equal(t, uint16(0x7c00), half.ToF16(65520))
	assert.Equal(t, uint16(0xfc00), half.ToF16(float32(math.Inf(-1))))
	assert.Equal(t, uint16(0x8000), half.ToF16(-1e-30))
	assert.Equal(t, uint16(0x3f80), half.ToBF16(1))
	for _, f := range formats {
		assert.Truef(t, math.IsNaN(float64(f.from(f.to(math.Float32frombits(0x7f800001))))), "%s: a NaN whose payload is cut off", f.name)
	}
}

func Example() {
	fmt.Println(half.FromF16(half.ToF16(1.0/3)), half.FromBF16(half.ToBF16(1.0/3)))
	// Output: 0.33325195 0.33398438
}

func BenchmarkToF16(b *testing.B) {
	var sum uint16
	x := float32(0.1)
	for b.Loop() {
		sum += half.ToF16(x)
		x += 1e-3
	}
	_ = sum
}
