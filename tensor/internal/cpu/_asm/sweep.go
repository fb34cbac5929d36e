package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A sweep is a loop over slices of one length, a vector at a time; the last vector is masked. Memory is named by the slices' base registers.
type sweep struct {
	*machine
	i    reg.GPVirtual // numbers done
	mask reg.Register  // of the lanes that there are, nil while all are
}

// sweep does body for n numbers, unroll vectors at a time (body learns which of them), then one at a time.
func (m *machine) sweep(n reg.GPVirtual, unroll int, body func(s *sweep, u int)) {
	s := &sweep{machine: m, i: m.GP64()}
	m.XORQ(s.i, s.i)
	after := m.GP64()
	for _, vectors := range []int{unroll, 1} {
		loop, next := m.label("loop"), m.label("next")
		m.LEAQ(at(s.i, vectors*m.lanes), after)
		m.CMPQ(after, n)
		m.JG(operand.LabelRef(next))
		m.Label(loop)
		for u := range vectors {
			body(s, u)
		}
		m.MOVQ(after, s.i)
		m.ADDQ(imm(vectors*m.lanes), after)
		m.CMPQ(after, n)
		m.JLE(operand.LabelRef(loop))
		m.Label(next)
		if unroll == 1 {
			break
		}
	}
	done := m.label("done")
	m.SUBQ(s.i, n)
	m.JLE(operand.LabelRef(done))
	s.mask = m.lanesMask(n)
	body(s, 0)
	m.Label(done)
}

// load is vector u of the slice at p; lanes that there are not are zero.
func (s *sweep) load(p reg.Register, u int) reg.VecVirtual {
	v := s.vec()
	e := element(p, s.i, 4*s.lanes*u)
	if s.mask != nil {
		s.loadMasked(e, s.mask, v)
	} else {
		s.VMOVUPS(e, v)
	}
	return v
}

// store writes vector u of the slice at p.
func (s *sweep) store(v, p reg.Register, u int) {
	e := element(p, s.i, 4*s.lanes*u)
	if s.mask != nil {
		s.storeMasked(v, s.mask, e)
	} else {
		s.VMOVUPS(v, e)
	}
}

// present makes lanes of v that there are not zero.
func (s *sweep) present(v reg.VecVirtual) reg.VecVirtual {
	switch {
	case s.mask == nil:
	case s.wide:
		s.VMOVAPS_Z(v, s.mask, v)
	default:
		s.VANDPS(s.mask, v, v)
	}
	return v
}

// The arithmetic of vectors: each returns a new vector. The last operand may be memory.

func (m *machine) add(a reg.VecVirtual, b operand.Op) reg.VecVirtual {
	d := m.vec()
	m.VADDPS(b, a, d)
	return d
}

func (m *machine) sub(a reg.VecVirtual, b operand.Op) reg.VecVirtual {
	d := m.vec()
	m.VSUBPS(b, a, d)
	return d
}

func (m *machine) mul(a reg.VecVirtual, b operand.Op) reg.VecVirtual {
	d := m.vec()
	m.VMULPS(b, a, d)
	return d
}

func (m *machine) div(a reg.VecVirtual, b operand.Op) reg.VecVirtual {
	d := m.vec()
	m.VDIVPS(b, a, d)
	return d
}

// larger is the larger of a and b, b where either is NaN.
func (m *machine) larger(a reg.VecVirtual, b operand.Op) reg.VecVirtual {
	d := m.vec()
	m.VMAXPS(b, a, d)
	return d
}

// smaller is the smaller of a and b, b where either is NaN.
func (m *machine) smaller(a reg.VecVirtual, b operand.Op) reg.VecVirtual {
	d := m.vec()
	m.VMINPS(b, a, d)
	return d
}

// negative is −a.
func (m *machine) negative(a reg.VecVirtual) reg.VecVirtual {
	d := m.vec()
	m.VXORPS(m.bits(1<<31), a, d)
	return d
}

// absolute is |a|.
func (m *machine) absolute(a reg.VecVirtual) reg.VecVirtual {
	d := m.vec()
	m.VANDPS(m.bits(1<<31-1), a, d)
	return d
}

// constant is a register with x in each lane.
func (m *machine) constant(x float64) reg.VecVirtual {
	v := m.vec()
	m.VMOVUPS(m.number(x), v)
	return v
}

// horner is the polynomial of x with the given coefficients, the highest power's first.
func (m *machine) horner(x reg.VecVirtual, coefficients ...float64) reg.VecVirtual {
	p := m.constant(coefficients[0])
	for _, c := range coefficients[1:] {
		m.VFMADD213PS(m.number(c), x, p)
	}
	return p
}

// Comparisons.
const (
	less           = 1  // a < b
	notLess        = 5  // not (a < b): NaN included
	greater        = 14 // a > b
	unordered      = 3  // either is NaN
	greaterOrEqual = 13
)

// compare is a mask of the lanes where a op b; on AVX2 it is a vector, too.
func (m *machine) compare(op uint8, a reg.VecVirtual, b operand.Op) reg.Register {
	if m.wide {
		k := m.K()
		m.VCMPPS(operand.U8(op), b, a, k)
		return k
	}
	v := m.YMM()
	m.VCMPPS(operand.U8(op), b, a, v)
	return v
}

// where is a in the lanes of mask k and zero elsewhere.
func (m *machine) where(k reg.Register, a reg.VecVirtual) reg.VecVirtual {
	d := m.vec()
	if m.wide {
		m.VMOVAPS_Z(a, k, d)
	} else {
		m.VANDPS(k, a, d)
	}
	return d
}

// choose is a in the lanes of mask k and b elsewhere.
func (m *machine) choose(k reg.Register, a, b reg.VecVirtual) reg.VecVirtual {
	d := m.vec()
	if m.wide {
		m.VMOVAPS(b, d)
		m.VMOVAPS(a, k, d)
	} else {
		m.VBLENDVPS(k, a, b, d)
	}
	return d
}

// fold makes all lanes of vectors into one number, in lane 0 of a register, by f of pairs: first the vectors, then halves.
func (m *machine) fold(sums []reg.VecVirtual, f func(b, a, d operand.Op)) reg.Register {
	for n := len(sums); n > 1; n /= 2 {
		for i := range n / 2 {
			f(sums[i+n/2], sums[i], sums[i])
		}
	}
	v := sums[0]
	if m.wide {
		h := m.YMM()
		m.VEXTRACTF32X8(operand.U8(1), v, h)
		f(h, v.AsY(), v.AsY())
	}
	h := m.XMM()
	m.VEXTRACTF128(operand.U8(1), v.AsY(), h)
	f(h, v.AsX(), v.AsX())
	m.VMOVHLPS(v.AsX(), v.AsX(), h)
	f(h, v.AsX(), v.AsX())
	m.VMOVSHDUP(v.AsX(), h)
	f(h, v.AsX(), v.AsX())
	return v.AsX()
}

// zeros are n vectors of zeros.
func (m *machine) zeros(n int) []reg.VecVirtual {
	sums := make([]reg.VecVirtual, n)
	for i := range sums {
		sums[i] = m.vec()
		m.zero(sums[i])
	}
	return sums
}
