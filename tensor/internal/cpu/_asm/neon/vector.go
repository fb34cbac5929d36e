package main

import "fmt"

// word appends an instruction as a word.
func (m *machine) word(code uint32, text string, regs ...*reg) {
	m.do("%v", word{code, text, regs})
}

// An operation is an instruction on four lanes.
type operation struct {
	code uint32
	name string
}

// The operations whose results go to new vectors or to one of their operands.
var (
	fadd = operation{0x4e20d400, "fadd"}
	fmax = operation{0x4e20f400, "fmax"}
	add  = operation{0x4ea08400, "add"}
	fmla = operation{0x4e20cc00, "fmla"}
	fmls = operation{0x4ea0cc00, "fmls"}
)

// into makes d = op(a, b).
func (m *machine) into(d *reg, op operation, a, b *reg) {
	m.word(op.code, op.name+" v%d.4s, v%d.4s, v%d.4s", d, a, b)
}

// three is a new vector op(a, b), two is op(a).
func (m *machine) three(op operation, a, b *reg) *reg {
	d := m.vec()
	m.into(d, op, a, b)
	return d
}

func (m *machine) two(code uint32, op string, a *reg) *reg {
	d := m.vec()
	m.word(code, op+" v%d.4s, v%d.4s", d, a)
	return d
}

// The arithmetic of vectors: each returns a new vector.

func (m *machine) add(a, b *reg) *reg { return m.three(fadd, a, b) }
func (m *machine) sub(a, b *reg) *reg { return m.three(operation{0x4ea0d400, "fsub"}, a, b) }
func (m *machine) mul(a, b *reg) *reg { return m.three(operation{0x6e20dc00, "fmul"}, a, b) }
func (m *machine) div(a, b *reg) *reg { return m.three(operation{0x6e20fc00, "fdiv"}, a, b) }

// larger and smaller are NaN where a or b is.
func (m *machine) larger(a, b *reg) *reg  { return m.three(fmax, a, b) }
func (m *machine) smaller(a, b *reg) *reg { return m.three(operation{0x4ea0f400, "fmin"}, a, b) }

// pairSums and pairMaxima are of the pairs of lanes of a.
func (m *machine) pairSums(a *reg) *reg   { return m.three(operation{0x6e20d400, "faddp"}, a, a) }
func (m *machine) pairMaxima(a *reg) *reg { return m.three(operation{0x6e20f400, "fmaxp"}, a, a) }

func (m *machine) absolute(a *reg) *reg { return m.two(0x4ea0f800, "fabs", a) }
func (m *machine) negative(a *reg) *reg { return m.two(0x6ea0f800, "fneg", a) }
func (m *machine) root(a *reg) *reg     { return m.two(0x6ea1f800, "fsqrt", a) }
func (m *machine) nearest(a *reg) *reg  { return m.two(0x4e218800, "frintn", a) } // to even where two are

// rounded is a as integers, floats the inverse.
func (m *machine) rounded(a *reg) *reg { return m.two(0x4e21a800, "fcvtns", a) }
func (m *machine) floats(a *reg) *reg  { return m.two(0x4e21d800, "scvtf", a) }

// accumulate makes d += a·b, diminish d −= a·b, each rounded once.
func (m *machine) accumulate(d, a, b *reg) { m.into(d, fmla, a, b) }
func (m *machine) diminish(d, a, b *reg)   { m.into(d, fmls, a, b) }

// plus makes d += a, raise d = max(d, a).
func (m *machine) plus(d, a *reg)  { m.into(d, fadd, d, a) }
func (m *machine) raise(d, a *reg) { m.into(d, fmax, d, a) }

// accumulateLane makes d += a·b[lane].
func (m *machine) accumulateLane(d, a, b *reg, lane int) {
	code := 0x4f801000 | uint32(lane&1)<<21 | uint32(lane>>1)<<11
	m.word(code, fmt.Sprintf("fmla v%%d.4s, v%%d.4s, v%%d.s[%d]", lane), d, a, b)
}

// clone is a copy of a, everywhere lane 0 of it in all lanes.
func (m *machine) clone(a *reg) *reg {
	d := m.vec()
	m.word(0x4ea01c00, "orr v%d.16b, v%d.16b, v%d.16b", d, a, a)
	return d
}

func (m *machine) everywhere(a *reg) *reg {
	d := m.vec()
	m.word(0x4e040400, "dup v%d.4s, v%d.s[0]", d, a)
	return d
}

// zeros are n vectors of zeros.
func (m *machine) zeros(n int) []*reg {
	all := make([]*reg, n)
	for i := range all {
		all[i] = m.vec()
		m.word(0x4f000400, "movi v%d.4s, #0", all[i])
	}
	return all
}

// Comparisons are masks, of ones where they hold. None holds for NaN.

func (m *machine) greater(a, b *reg) *reg { return m.three(operation{0x6ea0e400, "fcmgt"}, a, b) }
func (m *machine) equal(a, b *reg) *reg   { return m.three(operation{0x4e20e400, "fcmeq"}, a, b) }

// atLeast compares unsigned integers.
func (m *machine) atLeast(a, b *reg) *reg { return m.three(operation{0x6ea03c00, "cmhs"}, a, b) }

// where is a in the lanes of a mask and zero elsewhere, but is the opposite.
func (m *machine) where(mask, a *reg) *reg {
	d := m.vec()
	m.word(0x4e201c00, "and v%d.16b, v%d.16b, v%d.16b", d, a, mask)
	return d
}

func (m *machine) but(mask, a *reg) *reg {
	d := m.vec()
	m.word(0x4e601c00, "bic v%d.16b, v%d.16b, v%d.16b", d, a, mask)
	return d
}

// choose is the bits of a in a mask and those of b elsewhere. The mask is lost.
func (m *machine) choose(mask, a, b *reg) *reg {
	m.word(0x6e601c00, "bsl v%d.16b, v%d.16b, v%d.16b", mask, a, b)
	return mask
}

// The arithmetic of integers.

func (m *machine) addInt(a, b *reg) *reg { return m.three(add, a, b) }
func (m *machine) subInt(a, b *reg) *reg { return m.three(operation{0x6ea08400, "sub"}, a, b) }
func (m *machine) mulInt(a, b *reg) *reg { return m.three(operation{0x4ea09c00, "mul"}, a, b) }

func (m *machine) xor(a, b *reg) *reg {
	d := m.vec()
	m.word(0x6e201c00, "eor v%d.16b, v%d.16b, v%d.16b", d, a, b)
	return d
}

// shift is a shifted by n > 0 bits: left, right without and with the sign.
func (m *machine) left(a *reg, n int) *reg  { return m.shift(0x4f205400, n, "shl", a, n) }
func (m *machine) right(a *reg, n int) *reg { return m.shift(0x6f200400, 32-n, "ushr", a, n) }
func (m *machine) halve(a *reg) *reg        { return m.shift(0x4f200400, 31, "sshr", a, 1) }

func (m *machine) shift(code uint32, field int, op string, a *reg, n int) *reg {
	d := m.vec()
	m.word(code|uint32(field)<<16, fmt.Sprintf("%s v%%d.4s, v%%d.4s, #%d", op, n), d, a)
	return d
}

// horner is the polynomial of x with the given coefficients, the highest power's first.
func (m *machine) horner(x *reg, coefficients ...float64) *reg {
	p := m.constant(coefficients[0])
	for _, c := range coefficients[1:] {
		next := m.constant(c)
		m.accumulate(next, p, x)
		p = next
	}
	return p
}

// fold makes all lanes of vectors into one number, in lane 0 of a register: first the vectors by f, then pairs of lanes.
func (m *machine) fold(v []*reg, f func(a, b *reg) *reg, pairs func(a *reg) *reg) *reg {
	for ; len(v) > 1; v = v[:len(v)/2] {
		for i := range len(v) / 2 {
			v[i] = f(v[i], v[i+len(v)/2])
		}
	}
	return pairs(pairs(v[0]))
}

// total is the sum of all lanes of vectors, in lane 0.
func (m *machine) total(v []*reg) *reg { return m.fold(v, m.add, m.pairSums) }
