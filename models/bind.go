package models

import (
	"fmt"
	"slices"
	"strings"

	"peft/peft"
	"peft/tensor"
	"peft/tensor/safetensors"
)

// bind gives each parameter its numbers from the file. Parameters of a head may be missing: they are drawn at random.
func (m *Opened) bind(f family, seed uint64) error {
	sites, err := peft.FindSites(nil, m.Model)
	if err != nil {
		return err
	}
	rng := headRand(seed)
	for p := range sites.Params() {
		t, ok := find(m.file, f.prefix, p.Name)
		switch {
		case ok:
			if p.W, err = m.weight(t, p); err != nil {
				return err
			}
		case strings.HasPrefix(p.Name, f.prefix) && m.Task() != NoTask && !strings.Contains(p.Name, ".pooler."):
			return fmt.Errorf("the file has no tensor %s", p.Name)
		case m.Task() == NoTask:
			return fmt.Errorf("the file has no tensor %s", p.Name)
		default:
			p.W = fresh(p, rng)
			m.Fresh = append(m.Fresh, p.Name)
		}
	}
	return nil
}

// find is the tensor of a parameter: under its name, without the base's prefix (the file of a model without a head), with it, or under a name of old.
func find(f *safetensors.File, prefix, name string) (safetensors.Tensor, bool) {
	short, trimmed := strings.CutPrefix(name, prefix)
	names := []string{name}
	if trimmed {
		names = append(names, short)
	} else {
		names = append(names, prefix+name)
	}
	for _, n := range names {
		old := strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta").Replace(n)
		for _, n := range []string{n, old} {
			if t, ok := f.Tensor(n); ok {
				return t, true
			}
		}
	}
	return safetensors.Tensor{}, false
}

// storages are the types of file tensors that a frozen weight may have.
var storages = map[safetensors.DType]tensor.DType{
	safetensors.Float32: tensor.F32, safetensors.Float64: tensor.F64, safetensors.BFloat16: tensor.BF16, safetensors.Float16: tensor.F16, safetensors.Int8: tensor.I8,
}

// weight is a tensor of the file as a frozen weight of the parameter's shape. An int8 matrix has a scale per row in a tensor of its own.
func (m *Opened) weight(t safetensors.Tensor, p *peft.Frozen) (*tensor.Weight, error) {
	if shape := stored(p); !slices.Equal(t.Shape, shape) {
		return nil, fmt.Errorf("%s has shape %v, config.json says %v", t.Name, t.Shape, shape)
	}
	kind, ok := storages[t.DType]
	if !ok {
		return nil, fmt.Errorf("%s is %s, expected F32, F64, F16, BF16 or I8", t.Name, t.DType)
	}
	var scale []float32
	if kind == tensor.I8 {
		var err error
		if scale, err = m.scale(t); err != nil {
			return nil, err
		}
	}
	rows, cols := matrix(p.Shape)
	if p.Transposed {
		if kind == tensor.I8 {
			return nil, fmt.Errorf("%s is I8 and held as [in out], which has no scale for each output", t.Name)
		}
		defer m.file.Forget(t.Name)
		return tensor.NewWeight(kind, rows, cols, transpose(t.Data, cols, rows, kind.Size()), nil)
	}
	w, err := tensor.NewWeight(kind, rows, cols, t.Data, scale)
	if err == nil {
		w.Copied(func() { m.file.Forget(t.Name) })
	}
	return w, err
}

// stored is the shape in which the file holds a parameter.
func stored(p *peft.Frozen) []int {
	if p.Transposed {
		return []int{p.Shape[1], p.Shape[0]}
	}
	return p.Shape
}

// transpose turns a matrix [rows×cols] of numbers of so many bytes, a square of 64 at a time, so that both stay in cache.
func transpose(data []byte, rows, cols, size int) []byte {
	const side = 64
	out := make([]byte, len(data))
	for i0 := 0; i0 < rows; i0 += side {
		for j0 := 0; j0 < cols; j0 += side {
			for j := j0; j < min(j0+side, cols); j++ {
				for i := i0; i < min(i0+side, rows); i++ {
					copy(out[(j*rows+i)*size:][:size], data[(i*cols+j)*size:])
				}
			}
		}
	}
	return out
}

func (m *Opened) scale(t safetensors.Tensor) ([]float32, error) {
	s, ok := m.file.Tensor(t.Name + ".scale")
	if !ok || len(s.Shape) != 1 || s.Shape[0] != t.Shape[0] {
		return nil, fmt.Errorf("%s is I8 and needs %s.scale with %d numbers", t.Name, t.Name, t.Shape[0])
	}
	return s.Float32s()
}

// matrix is a shape as rows and columns; a vector is a row.
func matrix(shape []int) (rows, cols int) {
	rows, cols = 1, shape[len(shape)-1]
	for _, d := range shape[:len(shape)-1] {
		rows *= d
	}
	return rows, cols
}
