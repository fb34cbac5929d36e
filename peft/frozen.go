package peft

import (
	"peft/tensor"
)

// A Frozen is a parameter of the base model: a weight with a name, or only its shape where there are no numbers. Tied places share one Frozen.
type Frozen struct {
	Name       string         // as in the checkpoint; empty until [FindSites] names it after its site
	Shape      []int          // as the model computes with it: [out in] for a linear map
	Transposed bool           // the checkpoint holds it as [in out]
	Absent     bool           // the model has no such parameter (a missing bias), though a method may put one there: zeros
	W          *tensor.Weight // the numbers; nil where only the shape is known
}

// Len is the number of numbers, 0 where the model has no such parameter.
func (f *Frozen) Len() int {
	if f == nil || f.Absent {
		return 0
	}
	return f.size()
}

func (f *Frozen) size() int {
	n := 1
	for _, d := range f.Shape {
		n *= d
	}
	return n
}

// rows and cols are the shape as a matrix; a vector is a row.
func (f *Frozen) rows() int { return f.size() / f.cols() }
func (f *Frozen) cols() int { return f.Shape[len(f.Shape)-1] }

// Values copies the numbers to the host; nil, which makes zeros, where there are none: in a model of shapes alone, and on a device that does not compute.
func (f *Frozen) Values(d *tensor.Device) []float64 {
	if f.W == nil || !d.Computes() {
		return nil
	}
	s := tensor.NewScope(d)
	defer s.Close()
	return f.W.Dense(s).Float64s()
}

// param is a copy to be trained.
func (f *Frozen) param(d *tensor.Device) *tensor.Tensor {
	if f.W == nil || !d.Computes() {
		return d.Param(nil, f.Shape...)
	}
	return f.W.Param(d, f.Shape...)
}

// weight is the stored numbers. A model of shapes alone can be counted and patched, not run.
func (f *Frozen) weight() *tensor.Weight {
	if f.W == nil {
		panic(&tensor.ShapeError{Op: "Apply", Got: f.Name + " without weights", Want: "a model with weights"})
	}
	return f.W
}
