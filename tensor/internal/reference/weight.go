package reference

import (
	"encoding/binary"
	"math"

	"peft/tensor/internal/backend"
)

// A weight is a frozen matrix, widened to float64.
type weight struct{ m backend.Mat }

// Size is [out, in].
func (w *weight) Size() (rows, cols int) { return w.m.Rows, w.m.Cols }

// Prepare makes W[i][j] = the number that s holds there, exactly; times Scale[i] where s is I8.
func (b *Backend) Prepare(s backend.Storage) backend.Weight {
	m := backend.Dense(b.Alloc(s.Rows*s.Cols), 0, s.Rows, s.Cols)
	each(m, func(i, j int) {
		*at(m, i, j) = decode(s.Type, s.Data, i*s.Cols+j)
		if s.Type == backend.I8 {
			*at(m, i, j) *= float64(s.Scale[i])
		}
	})
	return &weight{m: m}
}

// matrix is W.
func matrix(w backend.Weight) backend.Mat { return w.(*weight).m }

// decode is number i of data.
func decode(t backend.DType, data []byte, i int) float64 {
	switch t {
	case backend.F32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
	case backend.F64:
		return math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	case backend.BF16:
		return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16))
	case backend.F16:
		return half(binary.LittleEndian.Uint16(data[2*i:]))
	case backend.I8:
		return float64(int8(data[i]))
	}
	panic("reference: unknown storage")
}

// half is the number that an IEEE 754 binary16 encodes: ±(1+f/2¹⁰)·2^(e−15), or ±f·2⁻²⁴ where e = 0, and infinity or NaN where e = 31.
func half(h uint16) float64 {
	sign := 1 - 2*float64(h>>15)
	e, f := int(h>>10&31), float64(h&1023)
	switch {
	case e == 0:
		return math.Copysign(math.Ldexp(f, -24), sign)
	case e == 31 && f == 0:
		return math.Inf(int(sign))
	case e == 31:
		return math.NaN()
	}
	return sign * math.Ldexp(1024+f, e-25)
}
