package main

import "slices"

// A sweep is a loop over slices of one length, a vector at a time; at the end number by number, each in lane 0 of a vector. Slices are named by registers with
// their addresses, which are moved on.
type sweep struct {
	*machine
	single   bool
	pointers []pointer // slices in use
}

// A pointer is the address of elements of so many bytes.
type pointer struct {
	at   *reg
	size int
}

// sweep does body for n numbers, unroll vectors at a time (body learns which of them), then one at a time. n is lost.
func (m *machine) sweep(n *reg, unroll int, body func(s *sweep, u int)) {
	for _, vectors := range []int{unroll, 1} {
		m.loop(n, vectors*lanes, func() {
			s := &sweep{machine: m}
			for u := range vectors {
				body(s, u)
			}
			s.advance(vectors * lanes)
		})
		if unroll == 1 {
			break
		}
	}
	m.loop(n, 1, func() {
		s := &sweep{machine: m, single: true}
		body(s, 0)
		s.advance(1)
	})
}

// loop does body, which is for step numbers, while n is that large.
func (m *machine) loop(n *reg, step int, body func()) {
	loop, next := m.label("loop"), m.label("next")
	m.when(n, step, "BLT", next)
	m.mark(loop)
	body()
	m.do("SUB $%d, %v", step, n)
	m.when(n, step, "BGE", loop)
	m.mark(next)
}

// advance moves all slices on by n numbers.
func (s *sweep) advance(n int) {
	for _, p := range s.pointers {
		s.do("ADD $%d, %v", p.size*n, p.at)
	}
}

// use notes that the slice at p is in use.
func (s *sweep) use(p *reg, size int) {
	if x := (pointer{p, size}); !slices.Contains(s.pointers, x) {
		s.pointers = append(s.pointers, x)
	}
}

// move is the instruction that moves what the vectors hold.
func (s *sweep) move() string {
	if s.single {
		return "FMOVS"
	}
	return "FMOVQ"
}

// load is vector u of the slice at p; lanes that there are not are zero.
func (s *sweep) load(p *reg, u int) *reg {
	s.use(p, 4)
	v := s.vec()
	s.do(s.move()+" %v, %v", mem{p, 16 * u}, v)
	return v
}

// store writes vector u of the slice at p.
func (s *sweep) store(v, p *reg, u int) {
	s.use(p, 4)
	s.do(s.move()+" %v, %v", v, mem{p, 16 * u})
}

// filled is v, with lane 0 in lanes that there are not.
func (s *sweep) filled(v *reg) *reg {
	if s.single {
		return s.everywhere(v)
	}
	return v
}

// present makes lanes of v that there are not zero.
func (s *sweep) present(v *reg) *reg {
	if s.single {
		s.do("FMOVS %v, %v", v, v)
	}
	return v
}
