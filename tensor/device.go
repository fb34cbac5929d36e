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

// Shapes is a device whose tensors have shapes and no numbers. What is attached to a model there can be counted, and a training step can be run there, which computes nothing and takes next to no
// time, but counts the memory that it would take on [CPU]: see [Device.Memory] and [Device.Weights]. Numbers that are read are zeros.
func Shapes() *Device { return On(cpu.NewDry(0)) }

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
	return d.wrap(&storage{dev: d, buf: d.Lasting(size(shape)), pinned: true}, shape)
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
	pinned bool    // a parameter or constant: outside every scope, never freed
	recipe *recipe // nil where it cannot be made again
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

// Memory is how many bytes the device's buffers take now, and the most they have taken, on a device that counts them; else zeros.
func (d *Device) Memory() (live, peak int64) {
	if m, ok := d.Backend.(interface {
		Live() int64
		Peak() int64
	}); ok {
		return m.Live(), m.Peak()
	}
	return 0, 0
}

// Held is the most that the device's buffers have taken, those included that lay idle until they were wanted again; 0 where they are not counted.
func (d *Device) Held() int64 {
	if m, ok := d.Backend.(interface{ Held() int64 }); ok {
		return m.Held()
	}
	return 0
}

// Weights is how many bytes the frozen weights used on the device take as they are stored, and what it has made of them, on a device of [Shapes]; else zeros.
func (d *Device) Weights() (stored, prepared int64) {
	if w, ok := d.Backend.(interface {
		Weights() (stored, prepared int64)
	}); ok {
		return w.Weights()
	}
	return 0, 0
}

// Computes reports whether tensors of the device have numbers: not those of [Shapes].
func (d *Device) Computes() bool {
	_, dry := d.Backend.(*cpu.Dry)
	return !dry
}
