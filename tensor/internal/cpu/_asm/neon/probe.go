package main

// probeSums is how many independent sums a probe adds to.
const probeSums = 12

// probes writes a loop of nothing but multiplications with addition, which tells how many the processor does a second, and pause.
func probes(m *machine) {
	m.function("probe", "func(rounds int)", "does 12 independent multiplications with addition of vectors a round.")
	n, sums, loop := m.arg("rounds"), m.zeros(probeSums), m.label("loop")
	m.mark(loop)
	for _, s := range sums {
		m.accumulate(s, s, s)
	}
	m.do("SUB $1, %v", n)
	m.jump("CBNZ %v, %s", loop, n)
	m.end()
	m.function("pause", "func()", "tells the processor to wait for a moment: until all that it has begun is done.")
	m.do("ISB $15")
	m.end()
}
