package tensor

import (
	"peft/tensor/internal/backend"
	"peft/tensor/internal/cpu"
	"peft/tensor/internal/reference"
)

// A Device is where tensors live and who computes with them.
type Device struct{ backend.Backend }

// CPU is a device that computes in float32 on the given number of threads; 0 means GOMAXPROCS. The numbers do not depend on it.
func CPU(threads int) *Device { return On(cpu.New(threads)) }

// Reference is a device that computes in float64 by plain loops: slow, and the definition of every operation.
func Reference() *Device { return On(reference.New()) }

// On is a device over a backend, which wraps another one in tests and profiles.
func On(b backend.Backend) *Device { return &Device{b} }

// Param makes a tensor that wants a gradient, with the given values; it lives until it is garbage.
func (d *Device) Param(values []float64, shape ...int) *Tensor {
	t := d.Constant(values, shape...)
	t.param = t
	return t
}

// Constant makes a tensor that wants no gradient, with the given values; it lives until it is garbage. No values mean zeros.
func (d *Device) Constant(values []float64, shape ...int) *Tensor {
	t := d.empty(shape)
	if values == nil {
		d.Fill(t.mat(), 0)
		return t
	}
	if len(values) != t.Len() {
		panic(&ShapeError{Op: "Constant", Got: sprint(len(values)) + " values", Want: sprint(t.Len()) + " for shape " + sprint(shape)})
	}
	d.Write(t.data.buf, 0, values)
	return t
}

// empty is a tensor outside every scope, with arbitrary values.
func (d *Device) empty(shape []int) *Tensor {
	return d.wrap(&storage{dev: d, buf: d.Alloc(size(shape)), pinned: true}, shape)
}

// wrap is the dense tensor of a shape over a storage.
func (d *Device) wrap(s *storage, shape []int) *Tensor {
	t := &Tensor{shape: shape, data: s}
	t.stride = t.Cols()
	return t
}

// A storage is a buffer with the number of those who hold it: its scope, nodes that keep it for the backward pass, gradients. Who lets go last frees it.
type storage struct {
	dev    *Device
	buf    backend.Buffer
	holds  int
	pinned bool // a parameter or constant: outside every scope, never freed
}

func (s *storage) hold() {
	if !s.pinned {
		s.holds++
	}
}

func (s *storage) release() {
	if s.pinned {
		return
	}
	if s.holds--; s.holds == 0 {
		s.free()
	}
}

func (s *storage) free() {
	if s.buf != nil && !s.pinned {
		s.dev.Free(s.buf)
		s.buf = nil
	}
}
