package models

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"peft/peft"
	"peft/tensor"
)

// draw gives every parameter its first value, in a storage.
func (m *Opened) draw(seed uint64, storage Storage) error {
	rng := rand.New(rand.NewPCG(seed, 0x6d6f64656c))
	return m.convert(storage, func(p *peft.Frozen) { p.W = fresh(p, rng) })
}

// headRand is the source of a new head's weights.
func headRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x68656164)) }

// fresh is the first value of a parameter as transformers draws it: matrices from N(0, 0.02²), gains of norms one, biases zero.
func fresh(f *peft.Frozen, rng *rand.Rand) *tensor.Weight {
	rows, cols := matrix(f.Shape)
	v := make([]float32, rows*cols)
	switch {
	case len(f.Shape) > 1:
		for i := range v {
			v[i] = float32(0.02 * rng.NormFloat64())
		}
	case strings.HasSuffix(f.Name, "weight"):
		for i := range v {
			v[i] = 1
		}
	}
	return tensor.WeightOf(v, rows, cols)
}

// A Storage is how the frozen matrices are kept, by the words of the programs.
type Storage string

// The storages.
const (
	AsStored Storage = "" // as the file has them
	FP32     Storage = "fp32"
	BF16     Storage = "bf16"
	FP16     Storage = "fp16"
	Int8     Storage = "int8" // with a scale per row; tables of embeddings and what gives the words of a language model stay as they are
)

var storageTypes = map[Storage]tensor.DType{FP32: tensor.F32, BF16: tensor.BF16, FP16: tensor.F16, Int8: tensor.I8}

// store turns the frozen matrices into another storage.
func (m *Opened) store(s Storage) error {
	if s == AsStored {
		return nil
	}
	return m.convert(s, func(*peft.Frozen) {})
}

// convert turns each parameter into the storage that is meant for it, after first has done something to it.
func (m *Opened) convert(s Storage, first func(*peft.Frozen)) error {
	sites, err := peft.FindSites(nil, m.Model)
	if err != nil {
		return err
	}
	types, err := storedAs(sites, s)
	if err != nil {
		return err
	}
	for p := range sites.Params() {
		first(p)
		t, ok := types[p]
		if !ok {
			continue
		}
		if p.W, err = p.W.As(t); err != nil {
			return fmt.Errorf("models: %s: %w", p.Name, err)
		}
	}
	return nil
}

// storedAs is the matrices that a storage is meant for. A task's head, which is trained, and vectors stay as they are.
func storedAs(sites *peft.Sites, s Storage) (map[*peft.Frozen]tensor.DType, error) {
	if s == AsStored {
		return nil, nil
	}
	t, ok := storageTypes[s]
	if !ok {
		return nil, fmt.Errorf("models: no storage %q; there are fp32, bf16, fp16 and int8", s)
	}
	types := map[*peft.Frozen]tensor.DType{}
	for x := range sites.All() {
		switch x := x.(type) {
		case *peft.Linear:
			if x.Role != peft.Head && (s != Int8 || !x.IsHead) {
				types[x.W] = t
			}
		case *peft.Embedding:
			if s != Int8 {
				types[x.W] = t
			}
		}
	}
	return types, nil
}
