package tensor

import (
	"encoding/binary"
	"fmt"
	"math"

	"peft/tensor/safetensors/half"
)

// As is the weight in another storage, each number rounded to the nearest that it has. I8 scales each row so that its largest magnitude is 127. A storage that numbers cannot be
// turned into is an error.
func (w *Weight) As(t DType) (*Weight, error) {
	const band = 1 << 16 // numbers that are in float64 at a time, or a row
	encode := encodings[t]
	switch {
	case t == w.storage.Type:
		return w, nil
	case encode == nil:
		return nil, fmt.Errorf("tensor: a weight cannot be turned into %s", t)
	}
	rows, cols := w.storage.Rows, w.storage.Cols
	from, scales := w.Data()
	data, scale, step := make([]byte, 0, rows*cols*t.Size()), []float32(nil), band/max(1, cols)+1
	for i := 0; i < rows; i += step {
		part := w.storage
		part.Rows = min(step, rows-i)
		part.Data = from[i*cols*part.Type.Size():][:part.Rows*cols*part.Type.Size()]
		if part.Scale = scales; scales != nil {
			part.Scale = scales[i:][:part.Rows]
		}
		data, scale = encode(data, scale, (&Weight{storage: part}).float32s(), part.Rows)
	}
	return NewWeight(t, rows, cols, data, scale)
}

// float32s is all numbers, row after row.
func (w *Weight) float32s() []float32 {
	s := NewScope(Reference())
	defer s.Close()
	return w.Dense(s).Float32s()
}

// encodings append rows of numbers to data, and their scales, in another storage.
var encodings = map[DType]func(data []byte, scale, values []float32, rows int) ([]byte, []float32){
	F32: func(data []byte, _, values []float32, _ int) ([]byte, []float32) {
		return append(data, bytesOf(values)...), nil
	},
	BF16: halves(half.ToBF16),
	F16:  halves(half.ToF16),
	I8:   quantise,
}

func halves(bits func(float32) uint16) func(data []byte, _, values []float32, _ int) ([]byte, []float32) {
	return func(data []byte, _, values []float32, _ int) ([]byte, []float32) {
		return appendHalves(data, values, bits), nil
	}
}

// appendHalves appends numbers of 16 bits.
func appendHalves(data []byte, values []float32, bits func(float32) uint16) []byte {
	for _, v := range values {
		data = binary.LittleEndian.AppendUint16(data, bits(v))
	}
	return data
}

// quantise makes int8 of each row, to nearest, ties to even.
func quantise(data []byte, scale, values []float32, rows int) ([]byte, []float32) {
	cols := len(values) / max(1, rows)
	for i := range rows {
		row, unit, largest := values[i*cols:(i+1)*cols], float32(1), float32(0)
		for _, v := range row {
			largest = max(largest, v, -v)
		}
		if largest > 0 {
			unit = max(largest/127, 0x1p-126) // below, a scale has too few bits for the largest to stay 127
		}
		scale = append(scale, unit)
		for _, v := range row {
			data = append(data, byte(int8(math.RoundToEven(float64(v/unit)))))
		}
	}
	return data, scale
}
