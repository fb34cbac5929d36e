package tensor_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"peft/tensor"
)

// TestCPUBF16 computes a linear map and its gradient on a device that may round, and on one that does not. All numbers are positive, so that a result is the size of what is added up.
func TestCPUBF16(t *testing.T) {
	const n, in, out = 5, 70, 40
	data := make([]byte, 0, 2*out*in)
	for i := range out * in {
		data = binary.LittleEndian.AppendUint16(data, uint16(math.Float32bits(1+float32(i%13)/16)>>16))
	}
	w, err := tensor.NewWeight(tensor.BF16, out, in, data, nil)
	require.NoError(t, err)
	values := make([]float64, n*in)
	for i := range values {
		values[i] = 1 + float64(i%101)/101
	}
	results := func(d *tensor.Device) (y, dx []float64) {
		x := d.Param(values, n, in)
		s := tensor.NewScope(d)
		defer s.Close()
		product := w.Linear(s.Use(x), tensor.Affine{})
		g := tensor.Backward(tensor.Sum(tensor.Mul(product, product)))
		defer g.Release()
		return product.Float64s(), g.Of(x).Float64s()
	}
	y, dx := results(tensor.CPU(1))
	roughY, roughDX := results(tensor.CPUBF16(2))
	const u16 = 1. / (1 << 9)
	require.InEpsilonSlice(t, y, roughY, u16+1e-5)
	require.InEpsilonSlice(t, dx, roughDX, 2*u16+1e-4) // of the gradient by the product, which is off by u16 already
	sameY, sameDX := results(tensor.CPUBF16(1))
	require.Equal(t, roughY, sameY)
	require.Equal(t, roughDX, sameDX)
}
