package safetensors

import (
	"fmt"

	"peft/tensor/safetensors/half"
)

// Float64s is the elements as float64. Every type but the opaque ones can be read, and exactly: an integer of magnitude 2^53 or more is an error.
//
// The result shares the tensor's memory if the type is F64, the machine is little-endian and the data lies at a multiple of 8; else it is new. So do not write to it.
func (t Tensor) Float64s() ([]float64, error) { return floats[float64](t, 1<<53) }

// Float32s is the elements as float32. F64 is rounded to nearest; every other type but the opaque ones can be read exactly: an integer of magnitude 2^24 or more
// is an error.
//
// The result shares the tensor's memory if the type is F32, the machine is little-endian and the data lies at a multiple of 4; else it is new. So do not write to it.
func (t Tensor) Float32s() ([]float32, error) { return floats[float32](t, 1<<24) }

// Ints is the elements as int64. The type must be BOOL or one of integers; a U64 of 2^63 or more is an error.
//
// The result shares the tensor's memory if the type is I64, the machine is little-endian and the data lies at a multiple of 8; else it is new. So do not write to it.
func (t Tensor) Ints() ([]int64, error) {
	if !t.DType.integer() {
		return nil, inTensor(t.Name, wrong("dtype "+t.DType.String(), "a type of integers"))
	}
	values, err := numbers[int64](t)
	if err != nil || t.DType != Uint64 {
		return values, err
	}
	for i, v := range values {
		if v < 0 {
			return nil, t.tooLarge(i, uint64(v), "below 2^63")
		}
	}
	return values, nil
}

// floats refuses integers from limit on, where the type F begins to have gaps.
func floats[F float32 | float64](t Tensor, limit F) ([]F, error) {
	values, err := numbers[F](t)
	if err != nil || !t.DType.integer() {
		return values, err
	}
	for i, v := range values {
		if v >= limit || v <= -limit {
			return nil, t.tooLarge(i, v, fmt.Sprintf("a magnitude below %.0f, exact in %T", limit, v))
		}
	}
	return values, nil
}

func (t Tensor) tooLarge(i int, value any, want string) error {
	return inTensor(t.Name, wrong(fmt.Sprintf("%v %v at index %d", t.DType, value, i), want))
}

// numbers is the elements of any type but the opaque ones, converted as Go converts.
func numbers[To float32 | float64 | int64](t Tensor) ([]To, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	switch t.DType {
	case Bool, Uint8:
		return convert[To, uint8](t.Data), nil
	case Int8:
		return convert[To, int8](t.Data), nil
	case Int16:
		return convert[To, int16](t.Data), nil
	case Uint16:
		return convert[To, uint16](t.Data), nil
	case Int32:
		return convert[To, int32](t.Data), nil
	case Uint32:
		return convert[To, uint32](t.Data), nil
	case Int64:
		return convert[To, int64](t.Data), nil
	case Uint64:
		return convert[To, uint64](t.Data), nil
	case Float16:
		return fromF16[To](t.Data), nil
	case BFloat16:
		return fromBF16[To](t.Data), nil
	case Float32:
		return convert[To, float32](t.Data), nil
	case Float64:
		return convert[To, float64](t.Data), nil
	}
	return nil, inTensor(t.Name, wrong("dtype "+t.DType.String(), "a type of numbers"))
}

// convert is data, which holds numbers of type From, as numbers of type To.
func convert[To, From number](data []byte) []To {
	from := numbersOf[From](data)
	if same, ok := any(from).([]To); ok {
		return same
	}
	to := make([]To, len(from))
	for i, x := range from {
		to[i] = To(x)
	}
	return to
}

func fromF16[To number](data []byte) []To {
	from := numbersOf[uint16](data)
	to := make([]To, len(from))
	for i, b := range from {
		to[i] = To(half.FromF16(b))
	}
	return to
}

func fromBF16[To number](data []byte) []To {
	from := numbersOf[uint16](data)
	to := make([]To, len(from))
	for i, b := range from {
		to[i] = To(half.FromBF16(b))
	}
	return to
}
