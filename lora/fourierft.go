package lora

import (
	"cmp"
	"fmt"

	"peft/peft"
	"peft/tensor"
)

// FourierFT updates a linear map by a matrix with few frequencies (Gao et al. 2024, arXiv:2405.03003):
//
//	ΔW = Scale·Re(F⁻¹(S)),  S zero but for n entries
//
// Where the entries stand is drawn by PyTorch's generator from a seed and is not in the file.
type FourierFT struct {
	Common      `json:"-"`
	Frequencies int             `json:"n_frequency"`         // n, at least 1
	Scale       float64         `json:"scaling"`             // 0 means 150
	Seed        uint64          `json:"random_loc_seed"`     // of the places
	Pattern     peft.PatternMap `json:"n_frequency_pattern"` // n of single sites, by name
	Init        Init            `json:"init_weights"`        // Random is Hugging Face PEFT's default
}

var fourierft = kind{name: "FOURIERFT", bias: true, layout: true}

func init() {
	register(fourierft, decoder(fourierft, FourierFT{Frequencies: 1000, Scale: 150, Seed: 777, Init: Random}))
}

// Attach puts an update at each chosen map.
func (c FourierFT) Attach(s *peft.Sites, rng peft.Rand) (*peft.Patch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	places := map[[2]int][]int32{} // for maps of so many numbers, and so many frequencies
	return c.attach(fourierft, s, func(q *peft.Patch, l *peft.Linear) error {
		n := c.frequencies(l.Name())
		if n < 1 || n > l.In*l.Out {
			return fmt.Errorf("frequencies are %d, must be from 1 to the %d numbers of the matrix", n, l.In*l.Out)
		}
		key := [2]int{l.In * l.Out, n}
		if places[key] == nil {
			places[key] = newTorch(c.Seed).permutation(l.In*l.Out, n)
		}
		d := &spectrum{q.NewParam(l.Name()+"/fourierft_spectrum", c.Init.last(func() []float64 { return peft.Normal(rng, n, 1) }), n), places[key], l.In, l.Out, c.scale()}
		q.Add(l, peft.Out, &product{update: d.update})
		return nil
	})
}

func (c FourierFT) check() error {
	return cmp.Or(atLeast("Frequencies", c.Frequencies, 1), c.Common.check(fourierft), c.Init.check())
}

func (c FourierFT) scale() float64 { return cmp.Or(c.Scale, 150) }

func (c FourierFT) frequencies(name string) int {
	if v, ok := c.Pattern.Lookup(name); ok {
		return int(v)
	}
	return c.Frequencies
}

// Config is the configuration that Hugging Face PEFT reads.
func (c FourierFT) Config(s *peft.Sites) (map[string]any, error) {
	c.Scale = c.scale()
	return fourierft.write(c.Common, s, c)
}

// spectrum is the entries of S, and where they stand.
type spectrum struct {
	entries *peft.Param
	places  []int32
	in, out int
	scale   float64
}

func (d *spectrum) update(p *peft.Pass) *tensor.Tensor {
	return tensor.Scale(tensor.InverseFourier(d.entries.In(p), d.places, d.out, d.in), d.scale)
}
