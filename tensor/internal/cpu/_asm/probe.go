package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// probeSums is how many independent sums a probe adds to.
const probeSums = 12

// probes writes a loop of nothing but multiplications with addition, which tells how many the processor does a second, and pause.
func probes(m *machine) {
	m.function("probe", "func(rounds int)", "does 12 independent multiplications with addition of vectors a round.")
	n := m.integer("rounds")
	sums := make([]reg.VecVirtual, probeSums)
	for i := range sums {
		sums[i] = m.vec()
		m.zero(sums[i])
	}
	loop := m.label("loop")
	m.Label(loop)
	for _, s := range sums {
		m.VFMADD231PS(s, s, s)
	}
	m.DECQ(n)
	m.JNZ(operand.LabelRef(loop))
	m.end()
	if m.wide {
		return
	}
	m.Function("pause")
	m.SignatureExpr("func()")
	m.Attributes(4)
	m.Doc("pause tells the processor that it is in a loop that waits.")
	m.PAUSE()
	m.RET()
}
