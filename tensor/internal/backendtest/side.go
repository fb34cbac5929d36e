package backendtest

import (
	"math"

	"peft/tensor/internal/backend"
)

// A side is a backend that makes a trial's call, on copies of the operands of its own.
type side struct {
	backend.Backend
	magnitude bool // operands and factors are replaced by their absolute values
	mats      map[*operand]backend.Mat
}

func newSide(b backend.Backend) *side {
	return &side{Backend: b, mats: map[*operand]backend.Mat{}}
}

// of is the operand on this side.
func (s *side) of(o *operand) backend.Mat {
	m, ok := s.mats[o]
	if !ok {
		m = o.mat(s.Alloc(len(o.data)))
		s.WriteF32(m.Buf, 0, s.factors(o.data))
		s.mats[o] = m
	}
	return m
}

// maybe is the operand on this side, nil for nil.
func (s *side) maybe(o *operand) *backend.Mat {
	if o == nil {
		return nil
	}
	m := s.of(o)
	return &m
}

// read is all numbers of the operand's buffer on this side.
func (s *side) read(o *operand) []float64 {
	dst := make([]float64, len(o.data))
	s.Read(dst, s.of(o).Buf, 0)
	return dst
}

// factor is a, or its absolute value.
func (s *side) factor(a float64) float64 {
	if s.magnitude {
		return math.Abs(a)
	}
	return a
}

// factors is a, or the absolute values.
func (s *side) factors(a []float32) []float32 {
	if !s.magnitude || a == nil {
		return a
	}
	b := make([]float32, len(a))
	for i, x := range a {
		b[i] = float32(math.Abs(float64(x)))
	}
	return b
}

// free gives all memory back.
func (s *side) free() {
	for _, m := range s.mats {
		s.Free(m.Buf)
	}
}
