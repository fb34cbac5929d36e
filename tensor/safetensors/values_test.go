package safetensors

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumbersOfEveryType(t *testing.T) {
	for d := Bool; d.known(); d++ {
		data := make([]byte, 2*d.Size())
		data[0] = 1 // the integer 1, or the smallest positive number of a format
		x := Tensor{"x", d, []int{2}, data}
		f64, err := x.Float64s()
		if opaque(d) {
			assert.ErrorContains(t, err, "expected a type of numbers", d)
			continue
		}
		require.NoError(t, err, d)
		assert.Equal(t, []float64{smallest(d), 0}, f64, d)
		f32, err := x.Float32s()
		require.NoError(t, err, d)
		assert.Equal(t, []float32{float32(smallest(d)), 0}, f32, d)
		ints, err := x.Ints()
		if !d.integer() {
			assert.ErrorContains(t, err, "found dtype "+d.String()+", expected a type of integers")
			continue
		}
		require.NoError(t, err, d)
		assert.Equal(t, []int64{1, 0}, ints, d)
	}
}

func opaque(d DType) bool {
	return d >= Float8E5M2 && d <= Float8E5M2FNUZ || d == Complex64
}

func smallest(d DType) float64 {
	switch d {
	case Float16:
		return 0x1p-24
	case BFloat16:
		return 0x1p-133
	case Float32:
		return math.SmallestNonzeroFloat32
	case Float64:
		return math.SmallestNonzeroFloat64
	}
	return 1
}

func TestNegativeNumbers(t *testing.T) {
	for _, x := range []Tensor{
		I8("x", []int{2}, []int8{-128, -1}), I32("x", []int{2}, []int32{-128, -1}), I64("x", []int{2}, []int64{-128, -1}),
		F16("x", []int{2}, []float32{-128, -1}), BF16("x", []int{2}, []float32{-128, -1}),
		F32("x", []int{2}, []float32{-128, -1}), F64("x", []int{2}, []float64{-128, -1}),
	} {
		got, err := x.Float64s()
		assert.NoError(t, err)
		assert.Equal(t, []float64{-128, -1}, got, x.DType)
	}
}

// TestIntegersThatDoNotFit: the largest that do are read, the next are refused, never rounded.
func TestIntegersThatDoNotFit(t *testing.T) {
	one := []int{1}
	float32s := func(v int32) error { _, err := I32("x", one, []int32{v}).Float32s(); return err }
	float64s := func(v int64) error { _, err := I64("x", one, []int64{v}).Float64s(); return err }
	ints := func(v uint64) error { _, err := (Tensor{"x", Uint64, one, bytesOf([]uint64{v})}).Ints(); return err }
	assert.NoError(t, float32s(1<<24-1))
	assert.NoError(t, float32s(1-1<<24))
	assert.ErrorContains(t, float32s(1<<24+1), "at index 0, expected a magnitude below 16777216, exact in float32")
	assert.Error(t, float32s(math.MinInt32))
	assert.NoError(t, float64s(1<<53-1))
	assert.Error(t, float64s(1<<53+1))
	assert.Error(t, float64s(math.MaxInt64))
	assert.NoError(t, ints(math.MaxInt64))
	assert.EqualError(t, ints(math.MaxInt64+1), `safetensors: tensor "x": found U64 9223372036854775808 at index 0, expected below 2^63`)
}

// TestViews makes sure that no copy is made where none is needed, and that one is made where memory does not allow a view.
func TestViews(t *testing.T) {
	if !littleEndian() {
		t.Skip("this machine's byte order is not the file's: everything is copied")
	}
	values := []float32{1, 2, 3}
	x := F32("x", []int{3}, values)
	view, err := x.Float32s()
	require.NoError(t, err)
	assert.Same(t, &values[0], &view[0])

	shifted := append([]byte{0}, x.Data...)
	if uintptr(unsafe.Pointer(&shifted[0]))%4 != 0 {
		t.Fatal("the allocator aligns no more")
	}
	x.Data = shifted[1:]
	copied, err := x.Float32s()
	require.NoError(t, err)
	assert.Equal(t, values, copied)
}

func TestTensorsMadeByHandAreChecked(t *testing.T) {
	for want, x := range map[string]Tensor{
		`found 4 bytes, expected 8 for F32 [2]`:      {"x", Float32, []int{2}, make([]byte, 4)},
		`found dtype number 0`:                       {"x", 0, []int{2}, make([]byte, 4)},
		`found shape [-2], expected dimensions of 0`: {"x", Float32, []int{-2}, make([]byte, 4)},
		`found 65 dimensions`:                        {"x", Float32, make([]int, 65), nil},
	} {
		_, err := x.Float32s()
		assert.ErrorContains(t, err, want)
	}
}

func TestDTypeNames(t *testing.T) {
	for d := Bool; d.known(); d++ {
		got, ok := ParseDType(d.String())
		assert.True(t, ok)
		assert.Equal(t, d, got)
	}
	_, ok := ParseDType("")
	assert.False(t, ok)
	assert.Equal(t, "unknown", DType(200).String())
	assert.Equal(t, 0, DType(0).Size())
}
