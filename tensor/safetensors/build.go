package safetensors

import "peft/tensor/safetensors/half"

// F64 is a tensor of float64. It shares the memory of values where the machine is little-endian, as do F32 and the builders of integers.
func F64(name string, shape []int, values []float64) Tensor {
	return Tensor{name, Float64, shape, bytesOf(values)}
}

// F32 is a tensor of float32.
func F32(name string, shape []int, values []float32) Tensor {
	return Tensor{name, Float32, shape, bytesOf(values)}
}

// F16 is a tensor of float16, to which values are rounded as by [half.ToF16].
func F16(name string, shape []int, values []float32) Tensor {
	return Tensor{name, Float16, shape, bytesOf(each(values, half.ToF16))}
}

// BF16 is a tensor of bfloat16, to which values are rounded as by [half.ToBF16].
func BF16(name string, shape []int, values []float32) Tensor {
	return Tensor{name, BFloat16, shape, bytesOf(each(values, half.ToBF16))}
}

// I64 is a tensor of int64.
func I64(name string, shape []int, values []int64) Tensor {
	return Tensor{name, Int64, shape, bytesOf(values)}
}

// I32 is a tensor of int32.
func I32(name string, shape []int, values []int32) Tensor {
	return Tensor{name, Int32, shape, bytesOf(values)}
}

// I8 is a tensor of int8.
func I8(name string, shape []int, values []int8) Tensor {
	return Tensor{name, Int8, shape, bytesOf(values)}
}

// U8 is a tensor of bytes.
func U8(name string, shape []int, values []uint8) Tensor {
	return Tensor{name, Uint8, shape, values}
}

func each(values []float32, f func(float32) uint16) []uint16 {
	out := make([]uint16, len(values))
	for i, v := range values {
		out[i] = f(v)
	}
	return out
}
