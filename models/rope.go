package models

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"

	"peft/tensor"
)

// rope is what a config.json says of rotary positions: in an object of their own, or, before transformers 5, beside it.
type rope struct {
	Type    string  `json:"rope_type"`
	OldType string  `json:"type"`
	Theta   float64 `json:"rope_theta"`
	Partial float64 `json:"partial_rotary_factor"` // share of a head that is turned; 0 means 1
	Factor  float64 `json:"factor"`
	LowFreq float64 `json:"low_freq_factor"`
	High    float64 `json:"high_freq_factor"`
	Trained float64 `json:"original_max_position_embeddings"`
}

// ropeFor is the rotary positions of a kind of layer ("full_attention", "sliding_attention"), which may have ones of their own.
func (c *Config) ropeFor(layer string) (rope, error) {
	r, raw := rope{Theta: c.Theta, Partial: c.PartialRotary}, c.Rope
	if len(raw) == 0 {
		raw = c.RopeScaling
		if layer == slidingLayer && c.LocalTheta > 0 {
			return rope{Theta: c.LocalTheta}, nil
		}
	}
	var byLayer map[string]json.RawMessage
	if len(raw) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(raw, &byLayer); err != nil {
		return r, fmt.Errorf("config.json: rotary positions: %w", err)
	}
	if own, ok := byLayer[layer]; ok {
		raw = own
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("config.json: rotary positions: %w", err)
	}
	r.Type = cmp.Or(r.Type, r.OldType)
	return r, nil
}

// rotary is the angles for heads of a size.
func (r rope) rotary(size int) (tensor.Rotary, error) {
	dim := size
	if r.Partial > 0 {
		dim = int(float64(size) * r.Partial)
	}
	if r.Theta <= 0 || dim < 2 || dim > size {
		return tensor.Rotary{}, fmt.Errorf("config.json: rotary positions: rope_theta is %v and %d of a head's %d numbers are turned, expected a positive base and 2 to %[3]d numbers", r.Theta, dim, size)
	}
	freq := make([]float64, dim/2)
	for i := range freq {
		freq[i] = math.Pow(r.Theta, -float64(2*i)/float64(dim))
	}
	switch r.Type {
	case "", "default":
	case "linear":
		for i := range freq {
			freq[i] /= r.Factor
		}
	case "llama3":
		for i := range freq {
			freq[i] = r.llama3(freq[i])
		}
	default:
		return tensor.Rotary{}, fmt.Errorf("config.json: rope_type %q is not supported, only default, linear and llama3", r.Type)
	}
	return tensor.Rotary{Freq: freq}, r.check(freq)
}

// check refuses angles that are no numbers, as a factor of zero makes them.
func (r rope) check(freq []float64) error {
	for _, f := range freq {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("config.json: rope_type %q: factors %v, %v, %v over %v positions make no angles", r.Type, r.Factor, r.LowFreq, r.High, r.Trained)
		}
	}
	return nil
}

// llama3 slows frequencies whose wave is longer than a part of the positions seen in training, those in between by degrees (Llama 3.1, arXiv:2407.21783).
func (r rope) llama3(f float64) float64 {
	turns := r.Trained * f / (2 * math.Pi) // over the positions seen in training
	switch {
	case turns < r.LowFreq:
		return f / r.Factor
	case turns > r.High:
		return f
	}
	smooth := (turns - r.LowFreq) / (r.High - r.LowFreq)
	return (1-smooth)*f/r.Factor + smooth*f
}
