package sparsemask

import (
	"fmt"
	"math"
	"math/rand/v2"

	"peft/peft"
	"peft/tensor"
)

// Scores say how much each number of a model matters, from 0 on, by the name of its parameter: row by row as the checkpoint holds it.
type Scores map[string][]float64

// A scorer scores the numbers of a parameter, in the order of the checkpoint. It says the same whenever it is asked.
type scorer func(f *peft.Frozen) ([]float64, error)

func (c Config) scorer(s *peft.Sites, rng peft.Rand) scorer {
	switch c.kind() {
	case Random:
		return random(rng)
	case Magnitude:
		return func(f *peft.Frozen) ([]float64, error) { return magnitude(f, s.Device()), nil }
	}
	return c.Scores.of
}

func (s Scores) of(f *peft.Frozen) ([]float64, error) {
	v := s[f.Name]
	if len(v) != f.Len() {
		return nil, fmt.Errorf("sparsemask: %d scores for %s, which has %d numbers", len(v), f.Name, f.Len())
	}
	return v, nil
}

// random scores are uniform draws. Each parameter has a stream of its own, so that no scores need be kept.
func random(rng peft.Rand) scorer {
	seeds := map[*peft.Frozen]uint64{}
	return func(f *peft.Frozen) ([]float64, error) {
		if _, ok := seeds[f]; !ok {
			seeds[f] = rng.Uint64()
		}
		r := rand.New(rand.NewPCG(seeds[f], 0))
		v := make([]float64, f.Len())
		for i := range v {
			v[i] = r.Float64()
		}
		return v, nil
	}
}

// magnitude is the absolute values of a parameter.
func magnitude(f *peft.Frozen, d *tensor.Device) []float64 {
	v := stored(f, f.Values(d))
	for i := range v {
		v[i] = math.Abs(v[i])
	}
	return v
}

// stored puts the numbers of a parameter in the order of the checkpoint.
func stored(f *peft.Frozen, v []float64) []float64 {
	if !f.Transposed {
		return v
	}
	out, in := f.Shape[0], f.Shape[1]
	t := make([]float64, len(v))
	for i := range out {
		for j := range in {
			t[j*out+i] = v[i*in+j]
		}
	}
	return t
}
