package backendtest

import (
	"encoding/binary"
	"math"

	"peft/tensor/internal/backend"
	"peft/tensor/internal/reference"
)

// A frozen is a weight of any storage.
type frozen struct{ backend.Storage }

// frozen is a weight [rows×cols] of any storage, with numbers of size 1 or so that begin at any byte, as in a file.
func (t *trial) frozen(rows, cols int) frozen {
	s := backend.Storage{Type: pick(t, backend.F32, backend.F64, backend.BF16, backend.F16, backend.I8), Rows: rows, Cols: cols}
	data := make([]byte, t.rng.IntN(4))
	first := len(data)
	for range rows * cols {
		data = t.encode(data, s.Type)
	}
	s.Data = data[first:]
	if s.Type == backend.I8 {
		for range rows {
			s.Scale = append(s.Scale, t.normal()/64)
		}
	}
	return frozen{s}
}

// encode appends a random number.
func (t *trial) encode(data []byte, d backend.DType) []byte {
	switch d {
	case backend.F32:
		return binary.LittleEndian.AppendUint32(data, math.Float32bits(t.normal()))
	case backend.F64:
		return binary.LittleEndian.AppendUint64(data, math.Float64bits(t.rng.NormFloat64()))
	case backend.BF16:
		return binary.LittleEndian.AppendUint16(data, uint16(math.Float32bits(t.normal())>>16))
	case backend.F16:
		return binary.LittleEndian.AppendUint16(data, t.half())
	}
	return append(data, byte(t.rng.Uint32()))
}

// half is a random binary16 below 2 of any exponent, zero and denormal numbers included: an exponent of all ones is left to other tests.
func (t *trial) half() uint16 {
	sign, fraction := uint16(t.rng.Uint32())&0x8000, uint16(t.rng.Uint32())&0x3ff
	exponent := 15 - min(15, uint16(t.rng.ExpFloat64()*2))
	return sign | exponent<<10 | fraction
}

// on is the weight on a side; where magnitudes are computed, that of the absolute values.
func (w frozen) on(s *side) backend.Weight {
	if s.magnitude {
		return s.Prepare(w.absolute())
	}
	return s.Prepare(w.Storage)
}

// absolute is the storage of the absolute values.
func (w frozen) absolute() backend.Storage {
	r := reference.New()
	m := backend.Dense(r.Alloc(w.Rows*w.Cols), 0, w.Rows, w.Cols)
	r.Dequantize(m, r.Prepare(w.Storage))
	values := make([]float64, w.Rows*w.Cols)
	r.Read(values, m.Buf, 0)
	s := backend.Storage{Type: backend.F64, Rows: w.Rows, Cols: w.Cols}
	for _, v := range values {
		s.Data = binary.LittleEndian.AppendUint64(s.Data, math.Float64bits(math.Abs(v)))
	}
	return s
}
