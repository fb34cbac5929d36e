package profile

import (
	"time"

	"peft/tensor"
	"peft/tensor/internal/backend"
)

// New is a device that computes as d does, and the report of where its time goes. Tensors and prepared weights of the two devices are not shared.
func New(d *tensor.Device) (*tensor.Device, *Report) {
	r := &Report{ops: map[key]*Op{}}
	return tensor.On(&timed{d.Backend, r}), r
}

// A timed backend times every operation of another one. It embeds nothing, so that an operation that is not wrapped does not compile.
type timed struct {
	inner  backend.Backend
	report *Report
}

var _ backend.Backend = (*timed)(nil)

// Name is the wrapped backend's.
func (t *timed) Name() string { return t.inner.Name() }

// Live is the bytes of all buffers in use, where the wrapped backend counts them.
func (t *timed) Live() int64 {
	live, _ := tensor.On(t.inner).Memory()
	return live
}

// Peak is the largest number that Live has been.
func (t *timed) Peak() int64 {
	_, peak := tensor.On(t.inner).Memory()
	return peak
}

// A weight knows how its numbers are stored.
type weight struct {
	backend.Weight
	numberBytes int
}

// bytes is the size of so many of its numbers.
func (w *weight) bytes(numbers int) int { return w.numberBytes * numbers }

// whole is the size of all numbers.
func (w *weight) whole() int {
	rows, cols := w.Size()
	return w.bytes(rows * cols)
}

// A stroke is an operation under way.
type stroke struct {
	report       *Report
	key          key
	flops, bytes int
	start        time.Time
}

// begin starts the clock for an operation.
func (t *timed) begin(k key, flops, bytes int) stroke {
	return stroke{t.report, k, flops, bytes, time.Now()}
}

// end stops it.
func (s stroke) end() { s.report.add(s, time.Since(s.start)) }
