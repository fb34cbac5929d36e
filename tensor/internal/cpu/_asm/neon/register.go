package main

import "fmt"

// A reg is a register yet to be chosen, of integers or of vectors.
type reg struct {
	vector      bool
	number      int // of the processor's register
	first, last int // instructions that name it
	named       bool
}

// String is its name in Go's assembler.
func (r *reg) String() string {
	if r.vector {
		return fmt.Sprint("F", r.number)
	}
	return fmt.Sprint("R", r.number)
}

// mem is the memory at a register plus a number of bytes.
type mem struct {
	base *reg
	disp int
}

func (a mem) String() string { return fmt.Sprintf("%d(%v)", a.disp, a.base) }

// word is an instruction that Go's assembler has no name for: its code but for the registers, and what it is, in Arm's notation, with %d for these.
type word struct {
	code uint32
	text string
	regs []*reg // where the result goes, and one or two operands
}

func (w word) String() string {
	code, numbers := w.code, make([]any, len(w.regs))
	for i, r := range w.regs {
		code |= uint32(r.number) << [...]int{0, 5, 16}[i]
		numbers[i] = r.number
	}
	return fmt.Sprintf("WORD $0x%08x // %s", code, fmt.Sprintf(w.text, numbers...))
}

// An instruction is a line of assembly, or a label, with registers among its arguments.
type instruction struct {
	format string
	args   []any
	label  string // the label that this is
	target string // or the one that it jumps to
}

// registers are those that it names.
func (i instruction) registers() (all []*reg) {
	for _, a := range i.args {
		switch a := a.(type) {
		case *reg:
			all = append(all, a)
		case mem:
			all = append(all, a.base)
		case word:
			all = append(all, a.regs...)
		}
	}
	return all
}

// integers are the processor's registers that kernels may use: others serve the operating system, the linker or Go.
var integers = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25}

// assign gives a processor's register to each that the code names. A register is in use from the instruction that names it first to the one that names it
// last, and to the end of any loop that it is used in but not made in.
func assign(code []instruction) {
	all := intervals(code)
	free := map[bool][]int{false: integers}
	for n := range 32 {
		free[true] = append(free[true], n)
	}
	var busy []*reg
	for _, r := range all {
		var still []*reg
		for _, b := range busy {
			if b.last <= r.first {
				free[b.vector] = append(free[b.vector], b.number)
			} else {
				still = append(still, b)
			}
		}
		if len(free[r.vector]) == 0 {
			panic(fmt.Sprintf("no register is left for instruction %d: %s", r.first, code[r.first].format))
		}
		r.number, free[r.vector] = free[r.vector][0], free[r.vector][1:]
		busy = append(still, r)
	}
}

// intervals are the registers in the order in which they are first named, with where they are in use.
func intervals(code []instruction) (all []*reg) {
	labels := map[string]int{}
	for at, i := range code {
		if i.label != "" {
			labels[i.label] = at
		}
		for _, r := range i.registers() {
			if !r.named {
				r.first, r.named = at, true
				all = append(all, r)
			}
			r.last = at
		}
	}
	for changed := true; changed; {
		changed = false
		for at, i := range code {
			from, jump := labels[i.target]
			if !jump || from > at {
				continue
			}
			for _, r := range all {
				if r.first < from && from <= r.last && r.last < at {
					r.last, changed = at, true
				}
			}
		}
	}
	return all
}
