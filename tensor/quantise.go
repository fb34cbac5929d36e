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
	if t == w.storage.Type {
		return w, nil
	}
	s := NewScope(Reference())
	defer s.Close()
	values, rows, cols := w.Dense(s).Float32s(), w.storage.Rows, w.storage.Cols
	switch t {
	case F32:
		return WeightOf(values, rows, cols), nil
	case BF16:
		return halves(t, values, rows, cols, half.ToBF16)
	case F16:
		return halves(t, values, rows, cols, half.ToF16)
	case I8:
		data, scale := quantise(values, rows, cols)
		return NewWeight(I8, rows, cols, data, scale)
	}
	return nil, fmt.Errorf("tensor: a weight cannot be turned into %s", t)
}

func halves(t DType, values []float32, rows, cols int, bits func(float32) uint16) (*Weight, error) {
	data := make([]byte, 0, 2*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint16(data, bits(v))
	}
	return NewWeight(t, rows, cols, data, nil)
}

// quantise makes int8 of each row, to nearest, ties to even.
func quantise(values []float32, rows, cols int) (data []byte, scale []float32) {
	data, scale = make([]byte, len(values)), make([]float32, rows)
	for i := range rows {
		row := values[i*cols : (i+1)*cols]
		largest := float32(0)
		for _, v := range row {
			largest = max(largest, v, -v)
		}
		scale[i] = 1
		if largest > 0 {
			scale[i] = max(largest/127, 0x1p-126) // below, a scale has too few bits for the largest to stay 127
		}
		for j, v := range row {
			data[i*cols+j] = byte(int8(math.RoundToEven(float64(v / scale[i]))))
		}
	}
	return data, scale
}
