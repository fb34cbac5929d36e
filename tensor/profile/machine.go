package profile

import (
	"time"

	"peft/tensor"
	"peft/tensor/internal/backend"
)

// A Machine is what a device can do at most, measured.
type Machine struct {
	Flops     float64 // operations a second of all threads, multiplications with addition of numbers in registers; 0 where the device does not say
	Bandwidth float64 // bytes a second, read and written, of a copy that no cache holds
}

// Probe measures a device for a moment. It takes a quarter of a gigabyte of the device's memory, which a device of its own gives back: [tensor.CPU] with as many threads.
func Probe(d *tensor.Device) Machine {
	m := Machine{Bandwidth: bandwidth(d)}
	if p, ok := d.Backend.(interface {
		Flops() float64 // of one thread
		Threads() int
	}); ok {
		m.Flops = p.Flops() * float64(p.Threads())
	}
	return m
}

// bandwidth is that of the fastest of a few copies.
func bandwidth(d *tensor.Device) float64 {
	const numbers, trials = 1 << 25, 5
	x, y := d.Alloc(numbers), d.Alloc(numbers)
	defer d.Free(x)
	defer d.Free(y)
	from, to := backend.Dense(x, 0, numbers>>10, 1<<10), backend.Dense(y, 0, numbers>>10, 1<<10)
	d.Fill(from, 1)
	d.Fill(to, 0)
	best := time.Duration(1 << 62)
	for range trials {
		begin := time.Now()
		d.Axpby(to, 1, from, 0)
		best = min(best, time.Since(begin))
	}
	return rate(read(from, to), best)
}
