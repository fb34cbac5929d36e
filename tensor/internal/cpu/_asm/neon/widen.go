package main

// widenings writes the kernels that turn stored numbers into float32, by instructions on a vector whose lower lanes hold the stored ones.
func widenings(m *machine) {
	m.widen("fromBF16", "func(dst []float32, src []byte)", "widens bfloat16 numbers.", 2, func(v *reg) *reg {
		m.word(0x2e613800, "shll v%d.4s, v%d.4h, #16", v, v)
		return v
	})
	m.widen("fromF16", "func(dst []float32, src []byte)", "widens IEEE 754 binary16 numbers.", 2, func(v *reg) *reg {
		m.word(0x0e217800, "fcvtl v%d.4s, v%d.4h", v, v)
		return v
	})
	m.widen("fromI8", "func(dst []float32, src []byte, scale float32)", "makes dst = scale·src.", 1, func(v *reg) *reg {
		m.word(0x0f08a400, "sxtl v%d.8h, v%d.8b", v, v)
		m.word(0x0f10a400, "sxtl v%d.4s, v%d.4h", v, v)
		return m.floats(v)
	})
}

// widen writes a kernel for stored numbers of so many bytes.
func (m *machine) widen(name, signature, doc string, size int, f func(v *reg) *reg) {
	m.function(name, signature, doc)
	dst, src, n := m.base("dst"), m.base("src"), m.length("dst")
	var scale *reg
	if _, ok := m.args["scale"]; ok {
		scale = m.spread("scale")
	}
	m.sweep(n, 2, func(s *sweep, u int) {
		v := f(s.loadStored(src, u, size))
		if scale != nil {
			v = m.mul(v, scale)
		}
		s.store(v, dst, u)
	})
	m.end()
}

// loadStored is vector u of the slice at p, whose elements are of so many bytes, in the lower part of a vector.
func (s *sweep) loadStored(p *reg, u, size int) *reg {
	s.use(p, size)
	v := s.vec()
	if !s.single {
		s.do(map[int]string{1: "FMOVS", 2: "FMOVD"}[size]+" %v, %v", mem{p, lanes * size * u}, v)
		return v
	}
	w := s.integer()
	s.do(map[int]string{1: "MOVBU", 2: "MOVHU"}[size]+" %v, %v", mem{p, 0}, w)
	s.do("FMOVS %v, %v", w, v)
	return v
}
