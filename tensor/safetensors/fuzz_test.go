package safetensors

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse wants no panic, and of every file that is read the same file when it is written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Add(file(`{}`, 0))
	f.Add(file(one(`"F32"`, `[2,1]`, `[0,8]`), 8))
	f.Add(file(one(`"F32"`, `[99999999999,99999999999]`, `[0,8]`), 8))
	f.Add(file(two("4,8", "0,4"), 8))
	f.Add(file(`{"__metadata__":{"format":"pt"},"x":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}`, 2))
	f.Add(encoded(f, sample(), map[string]string{"format": "pt"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Parse(data)
		if err != nil {
			return
		}
		for x := range first.All() {
			readAll(x)
		}
		second, err := Parse(encoded(t, collect(first), first.Metadata()))
		require.NoError(t, err)
		require.Equal(t, first.Metadata(), second.Metadata())
		require.Equal(t, first.Names(), second.Names())
		for x := range first.All() {
			y, _ := second.Tensor(x.Name)
			require.Equal(t, x, y)
		}
	})
}

func readAll(x Tensor) {
	_, _ = x.Float64s()
	_, _ = x.Float32s()
	_, _ = x.Ints()
}

func encoded(t testing.TB, tensors []Tensor, metadata map[string]string) []byte {
	var b bytes.Buffer
	require.NoError(t, Encode(&b, tensors, metadata))
	return b.Bytes()
}

// sample is a tensor of every builder.
func sample() []Tensor {
	return []Tensor{
		U8("u8", []int{3}, []uint8{0, 1, 255}),
		I8("i8", []int{2}, []int8{-128, 127}),
		BF16("bf16", []int{2}, []float32{1, -0.5}),
		F16("f16", []int{1, 2}, []float32{1.5, 65504}),
		I32("i32", []int{1}, []int32{-7}),
		F32("f32", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}),
		F64("f64", nil, []float64{0.1}),
		I64("i64", []int{2, 0}, nil),
	}
}
